#pragma once

#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Reductions over one axis, over several, or over all when none is given (the result is then a
/// scalar, []). A negative axis counts from the end; with `keep` axes stay, as size 1. Errors: no
/// such axis, or one twice; an axis of size 0, but for sum.
namespace attune {

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keep = false);
Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep = false);
Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The mean squared distance from the mean, divided by n - correction: 1 gives the estimate of a
/// sample, as in PyTorch, 0 the variance of all there is. Errors: n <= correction.
Tensor var(const Tensor& x, const std::vector<int>& axes, bool keep = false, int correction = 1);
/// The gradient goes to the first of equal largest elements.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, int axis, bool keep = false);
Tensor max(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The gradient goes to the first of equal smallest elements.
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, int axis, bool keep = false);
Tensor min(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// log sum exp(x), without overflow.
Tensor logsumexp(const Tensor& x);
Tensor logsumexp(const Tensor& x, int axis, bool keep = false);
Tensor logsumexp(const Tensor& x, const std::vector<int>& axes, bool keep = false);
/// The position of the first largest element along an axis. No gradient.
Indices argmax(const Tensor& x, int axis = -1);
/// The position of the first smallest element along an axis. No gradient.
Indices argmin(const Tensor& x, int axis = -1);

}  // namespace attune
