#pragma once

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/indices.h"

/// Padding: positions of sequences [T, B, ...] beyond their lengths [B]. It may hold anything, NaN
/// and infinity included, so it is overwritten with zeros and never multiplied by 0: 0 * NaN is
/// NaN.
namespace attune::kernels {

/// Errors, prefixed with `op`: defined lengths are not [batch], or outside [0, steps].
void check_lengths(const char* op, const Indices& lengths, std::int64_t steps, std::int64_t batch);

/// x with zeros in the padding. Returns x itself if the padding is 0 already or lengths are
/// undefined; otherwise a copy, or x modified in place with `in_place`.
Array clear_padding(const Array& x, const Indices& lengths, bool in_place = false);

}  // namespace attune::kernels
