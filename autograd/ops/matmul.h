#pragma once

#include "attune/autograd/tensor.h"

namespace attune {

/// Whether matmul() transposes the last two axes of an operand, without a copy.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// Matrix product over the last two axes, y[..., m, n] = sum_k a[..., m, k] b[..., k, n] after the
/// transposes: [..., M, K] x [..., K, N] -> [..., M, N]. Leading axes broadcast as in NumPy.
/// Nothing is copied if leading axes are equal or one operand has rank 2; otherwise operands that
/// must be broadcast are copied.
/// Errors: rank below 2; inner sizes differ; leading axes do not broadcast; dtypes differ.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

/// Whether each row of a product of float32 has the same bits for any number of rows. False in
/// builds without AVX2 and FMA, whose products are OpenBLAS's.
bool rows_are_independent();

}  // namespace attune
