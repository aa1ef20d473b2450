#pragma once

#include <string_view>
#include <vector>

#include "attune/layers/activation.h"
#include "attune/layers/dropout.h"
#include "attune/layers/linear.h"

namespace attune {

/// A multilayer perceptron of any depth, with activation f:
/// h_0 = x, h_i = dropout(f(W_i h_{i-1} + b_i)), y = W_n h_{n-1} + b_n.
///
///     FeedForward network({784, 256, 64, 10}, "gelu", 0.1);
///
/// Shapes: x [..., sizes.front()] -> y [..., sizes.back()].
/// Parameters: layer0.weight (W_1), layer0.bias (b_1), layer1.weight, ... as in Linear.
/// Errors: fewer than two sizes; a size below 1; an unknown activation (see make_activation());
/// dropout outside [0, 1).
class FeedForward : public Layer {
 public:
  explicit FeedForward(const std::vector<std::int64_t>& sizes, std::string_view activation = "relu",
                       double dropout = 0);
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<Linear> layers_;
  Activation activation_;
  Dropout dropout_;
};

}  // namespace attune
