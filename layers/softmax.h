#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/layers/layer.h"

namespace attune {

/// y_i = exp(x_i) / sum_j exp(x_j) along an axis (the last by default). With `lengths` [B], row b
/// of axis 0 has only lengths[b] positions that take part; the others get 0. No parameters.
/// Errors: x has no such axis; lengths do not fit.
class Softmax : public Layer {
 public:
  explicit Softmax(int axis = -1) : axis_(axis) {}
  Tensor operator()(const Tensor& x, const Indices& lengths = {}) const;

 private:
  int axis_;
};

}  // namespace attune
