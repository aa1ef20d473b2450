#pragma once

#include <cstdint>

#include "attune/autograd/tensor.h"

namespace attune {

/// y = x W^T + b: x [..., in], weight W [out, in], bias b [out] or undefined -> [..., out].
/// Errors: the last axis of x is not `in`; the bias is not [out]; dtypes differ.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

/// The same with W = columns [first_column, first_column + in) of a wider weight, without a copy:
/// one term of W [h ; y] = W_h h + W_y y.
/// Errors: as above; the weight does not have these columns.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t first_column);

}  // namespace attune
