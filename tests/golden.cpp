#include "golden.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "attune/autograd/array/error.h"

using namespace attune;
using nlohmann::json;

namespace {

Shape shape_of(const json& array) {
  return Shape(std::span<const std::int64_t>(array.at("shape").get<std::vector<std::int64_t>>()));
}

std::map<std::string, Array> arrays(const json& of_case, const char* section) {
  std::map<std::string, Array> result;
  if (of_case.contains(section))
    for (const auto& [name, array] : of_case.at(section).items())
      result[name] = Array::from(array.at("data").get<std::vector<double>>(), shape_of(array));
  return result;
}

std::map<std::string, Indices> indices(const json& of_case) {
  std::map<std::string, Indices> result;
  if (of_case.contains("indices"))
    for (const auto& [name, array] : of_case.at("indices").items())
      result[name] = Indices(array.at("data").get<std::vector<std::int32_t>>(), shape_of(array));
  return result;
}

}  // namespace

Golden read_golden(const std::string& file, const std::string& name) {
  const std::string path = std::string(ATTUNE_GOLDEN_DIR) + "/" + file + ".json";
  std::ifstream stream(path);
  ATTUNE_CHECK(stream.good(), "golden: cannot open {}", path);
  const json cases = json::parse(stream);
  ATTUNE_CHECK(cases.contains(name), "golden: {} has no case '{}'", path, name);
  const json& found = cases.at(name);
  return {arrays(found, "parameters"), arrays(found, "inputs"),    arrays(found, "outputs"),
          arrays(found, "cotangents"), arrays(found, "gradients"), indices(found)};
}

std::string difference(const Array& a, const Array& b, double tolerance) {
  if (!a.defined()) return "is not defined";
  if (!(a.shape() == b.shape()))
    return fmt::format("has shape {}, expected {}", a.shape(), b.shape());
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const double expected = b.at(i);
    if (!(std::fabs(a.at(i) - expected) <= tolerance * std::max(1.0, std::fabs(expected))))
      return fmt::format("at {} of {} is {:.17g}, expected {:.17g}", i, a.shape(), a.at(i),
                         expected);
  }
  return "";
}

std::string difference(const Golden& golden, const NamedTensors& outputs,
                       const NamedTensors& leaves) {
  if (outputs.size() != golden.outputs.size() || leaves.size() != golden.gradients.size())
    return fmt::format("{} outputs and {} leaves compared, but the case has {} and {}",
                       outputs.size(), leaves.size(), golden.outputs.size(),
                       golden.gradients.size());
  std::string found;
  const auto compare = [&](const char* what, const std::string& name, const Array& a,
                           const Array& b) {
    const std::string differs = difference(a, b);
    if (!differs.empty()) found += fmt::format("{} {} {}\n", what, name, differs);
  };
  for (const auto& [name, output] : outputs)
    compare("output", name, output.value(), golden.outputs.at(name));
  if (!found.empty()) return found;
  for (const auto& [name, output] : outputs) output.backward(golden.cotangents.at(name), true);
  for (const auto& [name, leaf] : leaves)
    compare("gradient of", name, leaf.grad(), golden.gradients.at(name));
  return found;
}
