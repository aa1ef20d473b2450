#pragma once

#include <cstdint>

#include "attune/autograd/array/array.h"

namespace attune::kernels {

/// Matrix products of y = x W^T + b, where W [out, in] is columns [first_column, first_column + in)
/// of a weight [out, width].
///
/// With few rows in x, W is packed once and the packed form is cached (see packed()), since a
/// decoder multiplies by the same weight at every step. With many rows the cost of packing is
/// negligible, and caching the packed form would only use memory.

/// y = x W^T + b. x [..., in], bias [out] or undefined -> [..., out].
Array affine(const Array& x, const Array& weight, const Array& bias, std::int64_t first_column);

/// dx = dy W, or dx += dy W with `accumulate`. dy [..., out], dx [..., in].
void affine_input_gradient(const Array& dy, const Array& weight, std::int64_t first_column,
                           Array dx, bool accumulate);

}  // namespace attune::kernels
