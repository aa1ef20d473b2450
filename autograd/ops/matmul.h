#pragma once

#include "attune/autograd/tensor.h"

namespace attune {

/// Whether matmul takes an operand's last two axes swapped. No copy is made for it.
struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// The matrix product over the last two axes: [..., M, K] x [..., K, N] -> [..., M, N], after the
/// transposes. Leading axes broadcast as NumPy's do. Nothing is copied where they are equal, or one
/// operand has rank 2 and is used for every matrix of the other; otherwise the operand that is
/// repeated is copied.
/// Errors: rank below 2, inner sizes differ, leading axes do not broadcast.
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

}  // namespace attune
