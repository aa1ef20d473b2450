#include "attune/optim/optimizer.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "attune/autograd/array/parallel.h"

namespace attune {

void Optimizer::check_rate(double rate) {
  ATTUNE_CHECK(rate >= 0 && std::isfinite(rate),
               "optimizer: the learning rate is {}; expected a finite number that is not negative",
               rate);
}

void Optimizer::check_group(int group) const {
  ATTUNE_CHECK(group >= 0 && group < groups(), "optimizer: there is no group {}; it has {}", group,
               groups());
}

void Optimizer::add_group(const Parameters& parameters, double learning_rate) {
  check_rate(learning_rate);
  ATTUNE_CHECK(parameters.size() > 0,
               "optimizer: group {} has no parameters; does the model make them with param(), and "
               "take in its layers with child()?",
               groups());
  std::unordered_set<const Node*> nodes;
  std::unordered_set<std::string> names;
  for (const Entry& entry : entries_) {
    nodes.insert(entry.tensor.node().get());
    names.insert(entry.name);
  }
  for (const auto& [given_name, tensor] : parameters) {
    const std::size_t number = entries_.size();
    std::string name = given_name.empty() ? std::to_string(number) : given_name;
    ATTUNE_CHECK(tensor.node() && tensor.node()->is_leaf(),
                 "optimizer: '{}' of shape {} is not a parameter; make it with Tensor::parameter()",
                 name, tensor.shape());
    ATTUNE_CHECK(nodes.insert(tensor.node().get()).second,
                 "optimizer: the parameter '{}' was given twice; each may be in one group, once",
                 name);
    if (!names.insert(name).second) {  // another layer has a parameter of the same name
      name += fmt::format("#{}", number);
      names.insert(name);
    }
    entries_.push_back({std::move(name), tensor, groups(), 0, {}});
  }
  groups_.push_back({learning_rate, learning_rate});
}

double Optimizer::learning_rate(int group) const {
  check_group(group);
  return groups_[static_cast<std::size_t>(group)].rate;
}

void Optimizer::set_learning_rate(double rate) {
  check_rate(rate);
  for (Group& group : groups_) group.rate = rate;
}

void Optimizer::set_learning_rate(double rate, int group) {
  check_rate(rate);
  check_group(group);
  groups_[static_cast<std::size_t>(group)].rate = rate;
}

void Optimizer::scale_learning_rate(double factor) {
  check_rate(factor);
  for (Group& group : groups_) group.rate = factor * group.initial_rate;
}

void Optimizer::zero_grad() {
  const RecordFunction span("Optimizer.zero_grad");
  for (Entry& entry : entries_) entry.tensor.zero_grad();
}

std::vector<Array> Optimizer::new_slots(const Entry& entry) const {
  std::vector<Array> result;
  for (const char* name : slots(entry.group))
    result.push_back(name ? Array::zeros(entry.tensor.shape(), entry.tensor.dtype()) : Array());
  return result;
}

void Optimizer::step() {
  const RecordFunction span("Optimizer.step");
  // All parameters are laid end to end, and this range is split among threads: a hundred small
  // parameters cost one parallel loop, not a hundred. Each starts at a multiple of 64 bytes, so
  // that no two threads write to the same cache line.
  constexpr std::int64_t kLine = 16;
  jobs_.clear();
  std::int64_t total = 0;
  for (Entry& entry : entries_) {
    Array gradient = entry.tensor.requires_grad() ? entry.tensor.grad() : Array();
    if (!gradient.defined()) continue;
    if (entry.step++ == 0) entry.slots = new_slots(entry);
    jobs_.push_back({&entry, std::move(gradient), total});
    total += (entry.tensor.elements() + kLine - 1) / kLine * kLine;
  }
  parallel_for(total, kElementGrain,
               [this](std::int64_t first, std::int64_t last) { update_range(first, last); });
  jobs_.clear();
  ++steps_;
}

void Optimizer::update_range(std::int64_t first, std::int64_t last) const {
  auto job = std::upper_bound(jobs_.begin(), jobs_.end(), first,
                              [](std::int64_t at, const Job& next) { return at < next.place; });
  for (--job; job != jobs_.end() && job->place < last; ++job) {
    Entry& entry = *job->entry;
    const std::int64_t begin = std::max<std::int64_t>(first - job->place, 0);
    const std::int64_t end = std::min(last - job->place, entry.tensor.elements());
    if (begin >= end) continue;
    update({entry.group, groups_[static_cast<std::size_t>(entry.group)].rate, entry.step,
            &entry.tensor.value(), &job->gradient, entry.slots.data(), begin, end});
  }
}

}  // namespace attune
