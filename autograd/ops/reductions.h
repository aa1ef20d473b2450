#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Reductions over one axis, or over all when none is given (the result is then a scalar, []). A
/// negative axis counts from the end; with `keep` the axis stays, as size 1. Errors: no such axis,
/// and for mean, max, min, logsumexp and argmax an axis of size 0.
namespace attune {

Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, int axis, bool keep = false);
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, int axis, bool keep = false);
/// The gradient goes to the first of equal largest elements.
Tensor max(const Tensor& x);
Tensor max(const Tensor& x, int axis, bool keep = false);
/// The gradient goes to the first of equal smallest elements.
Tensor min(const Tensor& x);
Tensor min(const Tensor& x, int axis, bool keep = false);
/// log sum exp(x), without overflow.
Tensor logsumexp(const Tensor& x);
Tensor logsumexp(const Tensor& x, int axis, bool keep = false);
/// The position of the first largest element along an axis. No gradient.
Indices argmax(const Tensor& x, int axis = -1);

}  // namespace attune
