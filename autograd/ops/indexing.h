#pragma once

#include <limits>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Functions that pick elements by position, and views that only change a shape. x[i], reshape(),
/// slice() of a range and gather() along the last axis are in shaping.h. A negative axis counts
/// from the end. Errors of all: no such axis.
namespace attune {

/// Where a slice begins or ends when nothing is said: at the axis's own end.
inline constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();

/// Every `step`-th element of an axis from `start` up to, and without, `stop`, as NumPy's
/// x[start:stop:step]: negative positions count from the end, positions outside are clipped to the
/// axis, and a negative step goes backwards. kEnd stands for an end that is left out; with a
/// negative step `start` is then the last element, and `stop` lies before the first. Errors: a step
/// of 0.
///
///     slice(x, 0, 1, -1, 2);        // x[1:-1:2]
///     slice(x, -1, kEnd, kEnd, -1); // x[..., ::-1]
Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step);
/// x with the order along an axis turned round.
Tensor flip(const Tensor& x, int axis);

/// Without an axis of size 1, or without all of them; a view. Errors: the axis has another size.
Tensor squeeze(const Tensor& x, int axis);
Tensor squeeze(const Tensor& x);
/// With a new axis of size 1 before `axis`, which may be -1 for one behind the last; a view.
Tensor unsqueeze(const Tensor& x, int axis);
/// broadcast_to() where -1 keeps an axis's size. Errors: -1 for an axis that x does not have.
Tensor expand(const Tensor& x, const Shape& shape);

/// The elements at positions along an axis: y[i, j, k] = x[i, index[i, j, k], k] for axis 1, with
/// shapes that are equal but along the axis (NumPy's take_along_axis, PyTorch's gather).
/// Errors: shapes do not fit; a position outside [-n, n).
Tensor take_along_axis(const Tensor& x, const Indices& index, int axis);
/// x, to whose elements at positions along an axis others are added, in row-major order: for axis 1
/// y[i, index[i, j, k], k] += source[i, j, k]. The counterpart of take_along_axis().
/// Errors: as there; source and index differ in shape.
Tensor scatter_add(const Tensor& x, int axis, const Indices& index, const Tensor& source);

}  // namespace attune
