#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// y[t, b] = x[t, b] for t < lengths[b], and 0 beyond; likewise for the gradient. The padding of x
/// and of the gradient may hold anything, NaN and infinity included: it is overwritten with zeros,
/// never multiplied by 0 (0 * NaN is NaN).
///
/// x [T, B, ...], lengths [B] -> x's shape. Returns x itself if lengths are undefined or leave no
/// padding; modifies a temporary in place; copies x otherwise.
///
/// Meant for layers that take lengths, around operations that do not: a Linear over [T, B, D] would
/// otherwise include the padding in its weight's gradient.
/// Errors: x has fewer than two axes; lengths that are not [B], or not in [0, T].
Tensor mask_padding(Tensor x, const Indices& lengths);

/// Each sequence from its last position to its first, y[t, b] = x[lengths[b] - 1 - t, b], and 0
/// beyond its length; likewise for the gradient. Padding may hold anything. Its own inverse, apart
/// from padding. For networks that read a sequence backwards.
///
/// x [T, B, ...], lengths [B] (not defined: all T) -> x's shape. Errors: as mask_padding().
Tensor reverse_sequence(const Tensor& x, const Indices& lengths);

}  // namespace attune
