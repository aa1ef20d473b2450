#pragma once

#include <string>
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
/// With a gated unit (Shazeer 2020, eq. 5 and 6; see gated_units()), each hidden layer is the
/// product of two linear ones: h_i = dropout(f(G_i h_{i-1} + g_i) * (W_i h_{i-1} + b_i)). The paper
/// makes these hidden layers smaller by a third, since they have twice the weights, and omits
/// biases.
///
/// Shapes: x [..., sizes.front()] -> y [..., sizes.back()].
/// Parameters: layer0.weight (W_1), layer0.bias (b_1), layer1.weight, ... as in Linear; with a
/// gated unit also gate0.weight (G_1), gate0.bias (g_1), ....
/// Errors: fewer than two sizes; a size below 1; neither an activation nor a gated unit; dropout
/// outside [0, 1).
class FeedForward : public Layer {
 public:
  /// `activation` is the name of a member of activations() or gated_units().
  explicit FeedForward(const std::vector<std::int64_t>& sizes, std::string_view activation = "relu",
                       double dropout = 0);
  Tensor operator()(const Tensor& x) const;

 private:
  std::vector<Linear> layers_;
  std::vector<Linear> gates_;  // empty without a gated unit
  Activation activation_;
  Dropout dropout_;
};

/// The names of activations and gated units that FeedForward accepts.
std::vector<std::string> feed_forward_activation_names();

}  // namespace attune
