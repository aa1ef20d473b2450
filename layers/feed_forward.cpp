#include "attune/layers/feed_forward.h"

namespace attune {

FeedForward::FeedForward(const std::vector<std::int64_t>& sizes, std::string_view activation,
                         double dropout)
    : activation_(make_activation(activation)), dropout_(dropout) {
  ATTUNE_CHECK(sizes.size() >= 2, "FeedForward: {} sizes given; it needs an input and an output",
               sizes.size());
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i)
    layers_.push_back(child(fmt::format("layer{}", i), Linear(sizes[i], sizes[i + 1])));
}

Tensor FeedForward::operator()(const Tensor& x) const {
  Tensor h = x;
  for (std::size_t i = 0; i + 1 < layers_.size(); ++i) h = dropout_(activation_(layers_[i](h)));
  return layers_.back()(h);
}

}  // namespace attune
