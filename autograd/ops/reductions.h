#pragma once

#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Reductions over one axis, several axes, or all elements if no axis is given (-> scalar []). A
/// negative axis counts from the end; reduced axes are removed, or kept with size 1 if `keep`.
/// Errors (all functions): no such axis, or one given twice; x is boolean; no elements to reduce
/// (except for sum).
namespace attune {

/// The sum; 0 of no elements.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keep = false);
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The arithmetic mean.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep = false);
Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// Variance, sum (x - mean)^2 / (n - correction): a correction of 1 gives the unbiased estimate, as
/// in PyTorch, 0 the population variance. Errors: n <= correction.
Tensor var(const Tensor& x, const std::vector<int>& axes, bool keep = false, int correction = 1);
/// The largest element; NaN if any is NaN. Of equal elements, the first gets the gradient.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, int axis, bool keep = false);
Tensor max(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The smallest element; NaN and gradient as for max().
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, int axis, bool keep = false);
Tensor min(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// log sum exp(x), without overflow.
Tensor logsumexp(const Tensor& x);
Tensor logsumexp(const Tensor& x, int axis, bool keep = false);
Tensor logsumexp(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The position of the first largest element along an axis, or of the first NaN. Not
/// differentiable.
Indices argmax(const Tensor& x, int axis = -1);
/// The position of the first smallest element along an axis, or of the first NaN. Not
/// differentiable.
Indices argmin(const Tensor& x, int axis = -1);

}  // namespace attune
