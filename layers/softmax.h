#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/layers/layer.h"

namespace attune {

/// y_i = exp(x_i) / sum_j exp(x_j) along an axis (the last by default). With `lengths` [B], axis 0
/// of x is the batch, and row b is normalised over its first lengths[b] positions; the others are
/// set to 0. Shapes: x [...] -> [...]. No parameters.
/// Errors: x has no such axis; lengths are not one for each row, or outside [0, axis size].
class Softmax : public Layer {
 public:
  explicit Softmax(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x, const Indices& lengths = {}) const;

 private:
  int axis_;
};

}  // namespace attune
