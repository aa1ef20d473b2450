#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Sorting and running sums along an axis. Equal elements keep their order, and NaN is larger than
/// every number. Gradients are passed to the positions that elements came from. Errors (all
/// functions): no such axis; x is boolean.
namespace attune {

/// Sorted elements, and the positions along the axis that they came from.
struct Sorted {
  Tensor values;
  Indices indices;
};

/// All elements along an axis in ascending order, or descending. Both results have x's shape.
Sorted sort(const Tensor& x, int axis = -1, bool descending = false);
/// The k largest elements along an axis in descending order, or the k smallest in ascending order:
/// [..., N, ...] -> [..., k, ...].
/// Errors: k outside [0, N].
Sorted topk(const Tensor& x, std::int64_t k, int axis = -1, bool largest = true);

/// y_i = x_1 + ... + x_i along an axis, summed in a wider type.
Tensor cumsum(const Tensor& x, int axis);
/// y_i = log(e^{x_1} + ... + e^{x_i}) along an axis, without overflow; the exponentials are summed
/// in a wider type. The gradient of an x of -infinity is 0.
Tensor logcumsumexp(const Tensor& x, int axis);

}  // namespace attune
