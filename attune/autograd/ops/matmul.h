#pragma once

#include "attune/autograd/tensor.h"

namespace attune {

/// Whether matmul takes an operand's last two axes swapped. No copy is made for it.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// The matrix product over the last two axes: [..., M, K] x [..., K, N] -> [..., M, N], after the
/// transposes. Leading axes are equal, or one operand has rank 2 and is used for every matrix of
/// the other. Errors: rank below 2, inner sizes differ, leading axes differ.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

/// y = x W^T + b in one step: x [..., in], weight [out, in], bias [out] or not defined -> [...,
/// out]. Errors: the last axis of x is not `in`.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

}  // namespace attune
