#include "attune/layers/feed_forward.h"

#include <algorithm>

#include "attune/autograd/ops/arithmetic.h"

namespace attune {
namespace {

bool is_gated(std::string_view activation) {
  const std::vector<std::string> units = gated_units().names();
  return std::find(units.begin(), units.end(), activation) != units.end();
}

}  // namespace

FeedForward::FeedForward(const std::vector<std::int64_t>& sizes, std::string_view activation,
                         double dropout)
    : activation_(is_gated(activation) ? gated_units().at(activation).make
                                       : make_activation(activation)),
      dropout_(dropout) {
  ATTUNE_CHECK(sizes.size() >= 2, "FeedForward: {} sizes given; it needs an input and an output",
               sizes.size());
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    layers_.push_back(child(fmt::format("layer{}", i), Linear(sizes[i], sizes[i + 1])));
    if (is_gated(activation) && i + 2 < sizes.size())
      gates_.push_back(child(fmt::format("gate{}", i), Linear(sizes[i], sizes[i + 1])));
  }
}

Tensor FeedForward::operator()(const Tensor& x) const {
  const LayerScope scope(*this);
  Tensor h = x;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) {
    const Tensor linear = layers_[i](h);
    h = dropout_(gates_.empty() ? activation_(linear) : activation_(gates_[i](h)) * linear);
  }
  return layers_.back()(h);
}

std::vector<std::string> feed_forward_activation_names() {
  std::vector<std::string> names = activation_names();
  for (const std::string& unit : gated_units().names()) names.push_back(unit);
  return names;
}

}  // namespace attune
