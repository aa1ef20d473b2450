#pragma once

#include <limits>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Selection of elements by position, and views that change only the shape. See shaping.h for x[i],
/// reshape(), slice() without a step, and gather() along the last axis. A negative axis counts from
/// the end. Errors (all functions): no such axis.
namespace attune {

/// A bound of a slice that NumPy would leave out; see slice().
inline constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

/// Every `step`-th element along an axis from `start` to `stop`, exclusive: NumPy's
/// x[start:stop:step]. Negative positions count from the end, positions outside are clipped to the
/// axis, and a negative step goes backwards. With stop = kEnd the slice runs to the end of the
/// axis, or back to its first element if the step is negative; with start = kEnd and a negative
/// step it begins at the last element. Errors: a step of 0.
///
///     slice(x, 0, 1, -1, 2);        // x[1:-1:2]
///     slice(x, -1, kEnd, kEnd, -1); // x[..., ::-1]
Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step);
/// Reverses the order of elements along an axis.
Tensor flip(const Tensor& x, int axis);

/// Removes one axis of size 1, or all of them; a view. Errors: the axis has another size.
Tensor squeeze(const Tensor& x, int axis);
Tensor squeeze(const Tensor& x);
/// Inserts an axis of size 1 before `axis` (-1: after the last); a view.
Tensor unsqueeze(const Tensor& x, int axis);
/// broadcast_to(), where -1 keeps the size of x's axis. Errors: -1 for an axis that x does not
/// have; x does not broadcast to `shape`.
Tensor expand(const Tensor& x, const Shape& shape);

/// Elements at the given positions along an axis, NumPy's take_along_axis and PyTorch's gather. For
/// axis 1: y[i, j, k] = x[i, index[i, j, k], k]. x and index may differ in size along the axis
/// only; y has the shape of index.
/// Errors: shapes do not fit; a position outside [-n, n), where n is the size of the axis.
Tensor take_along_axis(const Tensor& x, const Indices& index, int axis);
/// A copy of x with `source` added at the given positions along an axis, in row-major order. For
/// axis 1: y[i, index[i, j, k], k] += source[i, j, k]. The adjoint of take_along_axis().
/// Errors: as there; source differs from index in shape, or from x in dtype.
Tensor scatter_add(const Tensor& x, int axis, const Indices& index, const Tensor& source);

}  // namespace attune
