#pragma once

#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Functions that move elements without changing them. Views (no copy, in either direction):
/// reshape, x[i], slice and split along the leading axis. The others copy.
namespace attune {

/// The same elements in row-major order under another shape; one axis may be -1 (worked out).
/// Errors: the number of elements differs.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Axis i of the result is axis order[i] of x. Errors: `order` is not a permutation of x's axes.
Tensor permute(const Tensor& x, const std::vector<int>& order);
/// permute() that swaps two axes; the last two by default.
Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
/// Joins along an axis that exists. Errors: none given; other axes differ.
Tensor concat(const std::vector<Tensor>& parts, int axis = 0);
/// Joins along a new axis. Errors: none given; shapes differ.
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
/// Elements [first, last) of an axis; negative positions count from the end. Errors: outside the
/// axis. With steps, and cut to the axis: slice() in indexing.h.
Tensor slice(const Tensor& x, int axis, std::int64_t first, std::int64_t last);
/// Consecutive slices of the given sizes. Errors: they do not add up to the axis.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0);
/// Stretches x to `shape` under the broadcasting rule; the gradient is summed back.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// One element of the last axis for each of the leading positions: y[i...] = x[i..., index[i...]].
/// x is [..., N], index [...]. Errors: shapes do not fit; an index outside [0, N). Several elements
/// of a line: take_along_axis() in indexing.h.
Tensor gather(const Tensor& x, const Indices& index);
/// The entries `index` [N] of an axis, in that order; one may come several times, and its gradients
/// add up. x [..., S, ...] -> [..., N, ...]. Errors: an index outside of the axis.
Tensor index_select(const Tensor& x, int axis, const Indices& index);

}  // namespace attune
