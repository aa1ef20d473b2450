#include "attune/train/training_state.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/train/safetensors.h"

namespace attune {
namespace {

constexpr const char* kFormat = "format";
constexpr const char* kThisFormat = "attune training state 1";

Safetensors read(const std::string& path) {
  Safetensors content = load_safetensors(path);
  const auto format = content.metadata.find(kFormat);
  ATTUNE_CHECK(format != content.metadata.end() && format->second == kThisFormat && content.digest,
               "load: '{}' is not the state of a training; expected \"{}\": \"{}\" and a digest",
               path, kFormat, kThisFormat);
  content.metadata.erase(format);
  return content;
}

}  // namespace

void TrainingState::add(const std::string& name, Part part) {
  ATTUNE_CHECK(!name.empty() && name.find('/') == std::string::npos &&
                   std::none_of(parts_.begin(), parts_.end(),
                                [&](const auto& entry) { return entry.first == name; }),
               "TrainingState: a part cannot be called '{}'; names are unique and have no slash",
               name);
  parts_.emplace_back(name, std::move(part));
}

void TrainingState::add(const std::string& name, Layer& model) {
  add(name, {[&model] { return model.values(); },
             [&model](const NamedArrays& arrays) { model.load(arrays); }});
}

void TrainingState::add(const std::string& name, Generator& random) {
  // float64 represents integers exactly only up to 2^53, so these are stored in two halves.
  const auto number = [](std::uint64_t half) { return number_array(static_cast<double>(half)); };
  constexpr std::uint64_t kHalf = 0xFFFFFFFF;
  add(name, {[&random, number] {
               return NamedArrays{{"seed_high", number(random.seed() >> 32)},
                                  {"seed_low", number(random.seed() & kHalf)},
                                  {"draws_high", number(random.draws() >> 32)},
                                  {"draws_low", number(random.draws() & kHalf)}};
             },
             [&random](const NamedArrays& arrays) {
               const auto whole = [&](const std::string& what) {
                 const auto high = static_cast<std::uint64_t>(count_in(arrays, what + "_high"));
                 return high << 32 | static_cast<std::uint64_t>(count_in(arrays, what + "_low"));
               };
               random = Generator(whole("seed"), whole("draws"));
             }});
}

void TrainingState::add(const std::string& name, std::int64_t& count) {
  add(name, {[&count] {
               return NamedArrays{{"count", number_array(static_cast<double>(count))}};
             },
             [&count](const NamedArrays& arrays) { count = count_in(arrays, "count"); }});
}

void TrainingState::save(const std::string& path) const {
  Safetensors content{{}, texts, /*digest=*/true};
  content.metadata[kFormat] = kThisFormat;
  for (const auto& [name, part] : parts_)
    for (auto& [array_name, array] : part.state())
      content.arrays.emplace_back(name + "/" + array_name, std::move(array));
  save_safetensors(path, content);
}

void TrainingState::load(const std::string& path) {
  Safetensors content = read(path);
  std::map<std::string, NamedArrays> states;
  for (auto& [name, array] : content.arrays) {
    const std::size_t slash = std::min(name.find('/'), name.size());
    const std::string array_name = slash < name.size() ? name.substr(slash + 1) : "";
    states[name.substr(0, slash)].emplace_back(array_name, std::move(array));
  }
  try {
    for (auto& [name, part] : parts_) {
      part.load_state(states[name]);
      states.erase(name);
    }
    ATTUNE_CHECK(states.empty(), "load: this training has no part '{}'", states.begin()->first);
  } catch (const Error& error) {
    fail("{} (in '{}')", error.what(), path);
  }
  texts = std::move(content.metadata);
}

std::map<std::string, std::string> TrainingState::texts_of(const std::string& path) {
  return read(path).metadata;
}

}  // namespace attune
