#include "attune/layers/summary.h"

#include <cxxabi.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>
#include <unordered_set>

namespace attune {
namespace {

struct Row {
  std::string name, type, shape;
  std::int64_t numbers = 0;
  std::int64_t frozen = 0;  // included in `numbers`
  bool is_buffer = false;
};

// The name of a layer's type, without the prefix attune:: or (anonymous namespace)::.
std::string name_of(const std::type_info& type) {
  const std::unique_ptr<char, void (*)(void*)> text(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), std::free);
  std::string name = text ? text.get() : type.name();
  for (const std::string prefix : {"attune::", "(anonymous namespace)::"})
    if (name.starts_with(prefix)) name.erase(0, prefix.size());
  return name;
}

std::string note(const Row& row) {
  if (row.is_buffer) return "  buffer";
  return row.frozen > 0 && row.frozen == row.numbers ? "  frozen" : "";
}

std::string table(const std::vector<Row>& rows) {
  const auto width = [&](std::string Row::*column) {
    std::size_t widest = 5;
    for (const Row& row : rows) widest = std::max(widest, (row.*column).size());
    return widest;
  };
  const std::size_t name = width(&Row::name), type = width(&Row::type), shape = width(&Row::shape);
  std::string text = fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>11}\n", "name", name, "type", type,
                                 "shape", shape, "numbers");
  for (const Row& row : rows)
    text += fmt::format("{:<{}}  {:<{}}  {:<{}}  {:>11}{}\n", row.name, name, row.type, type,
                        row.shape, shape, row.numbers, note(row));
  return text;
}

}  // namespace

std::string summary(const Layer& layer) {
  using Registry = Layer::Registry;
  std::vector<Row> rows;
  std::int64_t in_buffers = 0;
  std::unordered_set<const void*> seen;  // layers and parameters
  // Appends the rows of a layer, and returns the index of its first one, which holds the totals.
  const std::function<std::size_t(const Registry&, const std::string&, const std::type_info&)>
      visit = [&](const Registry& registry, const std::string& name, const std::type_info& type) {
        const std::size_t own = rows.size();
        rows.push_back({.name = name, .type = name_of(type), .shape = {}});
        if (!seen.insert(&registry).second) return own;
        const std::string prefix = name.empty() ? "" : name + ".";
        for (const auto& place : registry.tensors) {
          const Tensor& tensor = place->tensor;
          const bool is_buffer = !place->is_parameter;
          if (!is_buffer && !seen.insert(tensor.node().get()).second) continue;
          const std::int64_t numbers = tensor.elements();
          const std::int64_t frozen = is_buffer || tensor.requires_grad() ? 0 : numbers;
          rows.push_back({prefix + place->name, "", fmt::format("{}", tensor.shape()), numbers,
                          frozen, is_buffer});
          (is_buffer ? in_buffers : rows[own].numbers) += numbers;
          rows[own].frozen += frozen;
        }
        for (const auto& child : registry.children) {
          const std::size_t part = visit(*child.place->registry, prefix + child.name, *child.type);
          rows[own].numbers += rows[part].numbers;
          rows[own].frozen += rows[part].frozen;
        }
        return own;
      };
  visit(*layer.place_->registry, "", typeid(layer));
  const auto [numbers, frozen] = std::pair(rows[0].numbers, rows[0].frozen);
  std::string text = table(rows);
  text += fmt::format("{} parameters, of which {} are trained and {} frozen", numbers,
                      numbers - frozen, frozen);
  if (in_buffers > 0) text += fmt::format("; {} numbers in buffers", in_buffers);
  return text + "\n";
}

}  // namespace attune
