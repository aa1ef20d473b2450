#pragma once

#include "attune/autograd/tensor.h"

namespace attune {

/// y = (x - mean) / sqrt(variance + eps) * gain + bias over the last axis, with the biased variance
/// (Ba et al. 2016, eq. 3 and 4). x is [..., D], gain and bias [D]. Errors: sizes or dtypes differ.
Tensor layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, double eps = 1e-5);

/// y = x / sqrt(mean(x^2) + eps) * gain over the last axis (Zhang and Sennrich 2019, eq. 4, where
/// eps is 0): layer_norm() without centering. x is [..., D], gain [D]. Errors: sizes or dtypes
/// differ.
Tensor rms_norm(const Tensor& x, const Tensor& gain, double eps = 1e-5);

/// y = x / sqrt(|x|^2 + eps) over the last axis of x [..., D]: unit vectors, except that 0 stays 0.
/// A vector whose dy is all 0 gets gradient 0, even if it holds NaN. Errors: x is a scalar.
Tensor l2_normalize(const Tensor& x, double eps = 1e-12);

/// Sets each element to 0 with probability p and multiplies the others by 1 / (1 - p) (Srivastava
/// et al. 2014); returns x under Eval. Draws from generator().
/// Errors: p outside [0, 1).
Tensor dropout(const Tensor& x, double p);

}  // namespace attune
