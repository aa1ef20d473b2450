#pragma once

#include <cstdint>

#include "attune/autograd/array/array.h"

namespace attune::kernels {

/// The products of y = x W^T + b, where W [out, in] is the block of columns from `first_column` on
/// of a weight [out, width].
///
/// For few rows of x the weight is packed once for all of its uses (packed()): a decoder needs it
/// at every step. For many rows packing costs next to nothing, and keeping it would cost memory.

/// x W^T + b: x [..., in], bias [out] or not defined -> [..., out].
Array affine(const Array& x, const Array& weight, const Array& bias, std::int64_t first_column);

/// dx = dy W, or added to dx: dy [..., out], dx [..., in].
void affine_input_gradient(const Array& dy, const Array& weight, std::int64_t first_column,
                           Array dx, bool accumulate);

}  // namespace attune::kernels
