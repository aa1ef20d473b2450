#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// x with zeros beyond each sequence's length, and no gradient there: whatever the padding holds,
/// NaN and infinity included, nothing behind this operation sees it, and whatever gradient reaches
/// the padding goes no further. Both are replaced, never multiplied by 0, since 0 * NaN is NaN.
///
/// x [T, B, ...], lengths [B] -> the shape of x. Where lengths are not defined, or leave no
/// padding, it is x itself; a temporary is changed in place; else x is copied.
///
/// For layers that know the lengths around parts that do not: a Linear over [T, B, D] would take
/// what lies in the padding into the gradient of its weight.
/// Errors: x has fewer than two axes; lengths are not one for each sequence, or outside [0, T].
Tensor mask_padding(Tensor x, const Indices& lengths);

}  // namespace attune
