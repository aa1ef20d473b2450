#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Orders along an axis. Equal elements keep their order, and NaN counts as larger than every
/// number. Gradients go back to where the elements came from. Errors of all: no such axis.
namespace attune {

/// Elements along an axis and the positions that they had.
struct Sorted {
  Tensor values;
  Indices indices;
};

Sorted sort(const Tensor& x, int axis = -1, bool descending = false);
/// The k largest elements along an axis, or the smallest, the first of them first.
/// Errors: k is below 0 or above the axis.
Sorted topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true);

/// y_i = x_1 + ... + x_i along an axis, added up in a wider type.
Tensor cumsum(const Tensor& x, int axis);

}  // namespace attune
