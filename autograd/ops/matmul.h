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

/// y = x W^T + b in one step: x [..., in], weight [out, in], bias [out] or not defined -> [...,
/// out]. With `first_column`, W is columns [first_column, first_column + in) of a wider weight: one
/// of several that lie beside each other, used without a copy. Errors: the last axis of x is not
/// `in`, or the columns are not all there.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t first_column);

}  // namespace attune
