#pragma once

#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Functions that move elements without changing them. reshape, x[i], and slice and split along the
/// leading axis are views: neither forward nor backward copies. The others copy.
namespace attune {

/// The same elements, in row-major order, under another shape; one size may be -1, to be inferred.
/// Errors: the number of elements differs.
Tensor reshape(const Tensor& x, const Shape& shape);
/// Axis i of the result is axis order[i] of x. Errors: `order` is not a permutation of x's axes.
Tensor permute(const Tensor& x, const std::vector<int>& order);
/// Swaps two axes, by default the last two. Errors: no such axis.
Tensor transpose(const Tensor& x, int axis_a = -2, int axis_b = -1);
/// Concatenates along an existing axis. Errors: no tensors; other axes or dtypes differ.
Tensor concat(const std::vector<Tensor>& parts, int axis = 0);
/// concat({x, more}). If it is not recorded for backward, it takes amortised time proportional to
/// `more` alone: the result shares the memory of x, which has room for further rows behind its own.
/// For sequences that grow step by step. Errors: as concat().
Tensor append(const Tensor& x, const Tensor& more);
/// Stacks along a new axis. Errors: no tensors; shapes or dtypes differ.
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
/// Elements [first, last) of an axis; negative positions count from the end. Errors: positions
/// outside the axis. See indexing.h for slices with a step, or clipped to the axis.
Tensor slice(const Tensor& x, int axis, std::int64_t first, std::int64_t last);
/// Consecutive slices of the given sizes. Errors: they do not add up to the size of the axis.
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0);
/// Broadcasts x to `shape`; the gradient is summed over the broadcast axes. Errors: x does not
/// broadcast to `shape`.
Tensor broadcast_to(const Tensor& x, const Shape& shape);
/// One element of the last axis per leading position: y[i...] = x[i..., index[i...]], for x
/// [..., N] and index [...]. Errors: shapes do not fit; an index outside [0, N). See
/// take_along_axis() in indexing.h to select several.
Tensor gather(const Tensor& x, const Indices& index);
/// Entries of an axis in the order of `index` [N]: x [..., S, ...] -> [..., N, ...]. An index with
/// the leading axes of x before N selects different entries at each of their positions:
/// y[i..., k, ...] = x[i..., index[i..., k], ...]. Entries may be selected several times; their
/// gradients add up. Errors: an index of another shape; an index outside [0, S).
Tensor index_select(const Tensor& x, int axis, const Indices& index);

}  // namespace attune
