#pragma once

#include "attune/autograd/tensor.h"

/// Element-wise arithmetic. Two-operand functions broadcast as NumPy does; the gradient of a
/// stretched operand is summed over the axes it was stretched along. Errors of all: shapes do not
/// broadcast, dtypes differ, booleans.
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

Tensor exp(const Tensor& x);
/// Natural logarithm; -inf at 0, NaN below.
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor square(const Tensor& x);
/// x^exponent for a constant exponent.
Tensor pow(const Tensor& x, double exponent);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);

/// The smaller of each pair; where they are equal each gets half of the gradient.
Tensor minimum(const Tensor& a, const Tensor& b);
/// min(x, bound); the gradient passes where x <= bound.
Tensor minimum(const Tensor& x, double bound);
/// The larger of each pair; where they are equal each gets half of the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
/// max(x, bound); the gradient passes where x >= bound.
Tensor maximum(const Tensor& x, double bound);
/// min(max(x, low), high); the gradient passes where low <= x <= high.
/// Errors: low > high.
Tensor clamp(const Tensor& x, double low, double high);
}  // namespace attune
