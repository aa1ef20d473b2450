#pragma once

#include "attune/autograd/tensor.h"

namespace attune {

/// y = (x - mean) / sqrt(variance + eps) * gain + bias over the last axis, with the biased variance
/// (Ba et al. 2016, eq. 3 and 4). x is [..., D], gain and bias [D]. Errors: sizes differ.
Tensor layer_norm(const Tensor& x, const Tensor& gain, const Tensor& bias, double eps = 1e-5);

/// y = x / sqrt(|x|^2 + eps) over the last axis: vectors of length 1, but 0 where x is 0. A vector
/// whose gradient is 0 passes on 0, whatever it holds. x is [..., D]. Errors: x is a scalar.
Tensor l2_normalize(const Tensor& x, double eps = 1e-12);

/// Under training, zeroes each element with probability p and scales the others by 1 / (1 - p)
/// (Srivastava et al. 2014); under Eval, gives x back. Draws from generator().
/// Errors: p outside [0, 1).
Tensor dropout(const Tensor& x, double p);

}  // namespace attune
