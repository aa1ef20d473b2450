#pragma once

#include "attune/autograd/tensor.h"

/// Element-wise arithmetic. Functions of two tensors broadcast as in NumPy; the gradient of a
/// broadcast operand is summed over the broadcast axes. A number is rounded to the tensor's dtype.
/// Errors (all functions): shapes do not broadcast; dtypes differ; an operand is boolean.
namespace attune {

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, double b);
Tensor operator+(double a, const Tensor& b);
Tensor operator-(const Tensor& a, double b);
Tensor operator-(double a, const Tensor& b);
Tensor operator*(const Tensor& a, double b);
Tensor operator*(double a, const Tensor& b);
Tensor operator/(const Tensor& a, double b);
Tensor operator/(double a, const Tensor& b);
Tensor operator-(const Tensor& x);

/// e^x
Tensor exp(const Tensor& x);
/// Natural logarithm; -inf at 0, NaN below.
Tensor log(const Tensor& x);
/// Square root; NaN below 0.
Tensor sqrt(const Tensor& x);
/// x^2
Tensor square(const Tensor& x);
/// x^exponent for a constant exponent.
Tensor pow(const Tensor& x, double exponent);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);

/// The smaller of a and b, NaN if either is NaN. Where they are equal, each gets half of the
/// gradient; where either is NaN, both get all of it.
Tensor minimum(const Tensor& a, const Tensor& b);
/// min(x, bound); the gradient is passed on where x <= bound.
Tensor minimum(const Tensor& x, double bound);
/// The larger of a and b; NaN and gradients as for minimum().
Tensor maximum(const Tensor& a, const Tensor& b);
/// max(x, bound); the gradient is passed on where x >= bound.
Tensor maximum(const Tensor& x, double bound);
/// min(max(x, low), high); the gradient is passed on where low <= x <= high.
/// Errors: low > high.
Tensor clamp(const Tensor& x, double low, double high);
}  // namespace attune
