#include <cmath>
#include <unordered_map>

#include "attune/optim/optimizer.h"

namespace attune {

NamedArrays Optimizer::state() const {
  NamedArrays result{{"steps", number_array(static_cast<double>(steps_))}};
  for (int group = 0; group < groups(); ++group)
    result.emplace_back(fmt::format("{}.learning_rate", group), number_array(learning_rate(group)));
  for (const Entry& entry : entries_) {
    if (entry.step == 0) continue;
    result.emplace_back(entry.name + ".step", number_array(static_cast<double>(entry.step)));
    const std::vector<const char*> names = slots(entry.group);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i]) result.emplace_back(fmt::format("{}.{}", entry.name, names[i]), entry.slots[i]);
  }
  return result;
}

void Optimizer::load_state(const NamedArrays& state) {
  std::unordered_map<std::string, Array> unused(state.begin(), state.end());
  const auto has = [&](const std::string& name) { return unused.count(name) != 0; };
  const auto take = [&](const std::string& name, const Shape& shape) {
    const auto found = unused.find(name);
    ATTUNE_CHECK(found != unused.end(), "load_state: the state has no '{}'", name);
    const Array value = found->second;
    ATTUNE_CHECK(value.shape() == shape, "load_state: '{}' has the shape {}; expected {}", name,
                 value.shape(), shape);
    unused.erase(found);
    return value;
  };
  const auto take_count = [&](const std::string& name) {
    const double count = take(name, {}).item();
    ATTUNE_CHECK(count >= 0 && count <= 0x1p53 && std::trunc(count) == count,
                 "load_state: '{}' is {}; expected a number of steps", name, count);
    return static_cast<std::int64_t>(count);
  };

  const std::int64_t steps = take_count("steps");
  std::vector<Group> groups = groups_;
  for (std::size_t group = 0; group < groups.size(); ++group) {
    groups[group].rate = take(fmt::format("{}.learning_rate", group), {}).item();
    check_rate(groups[group].rate);
  }
  std::vector<Entry> entries = entries_;
  for (Entry& entry : entries) {
    entry.step = has(entry.name + ".step") ? take_count(entry.name + ".step") : 0;
    entry.slots.clear();
    if (entry.step == 0) continue;
    for (const char* name : slots(entry.group))
      entry.slots.push_back(name
                                ? take(fmt::format("{}.{}", entry.name, name), entry.tensor.shape())
                                      .to(entry.tensor.dtype())
                                      .clone()
                                : Array());
  }
  for (const auto& [name, value] : state)
    ATTUNE_CHECK(unused.count(name) == 0,
                 "load_state: this optimizer has no '{}'; is the state from another kind of "
                 "optimizer or for another model?",
                 name);
  steps_ = steps;
  groups_ = std::move(groups);
  entries_ = std::move(entries);
}

}  // namespace attune
