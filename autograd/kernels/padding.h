#pragma once

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/indices.h"

/// What lies beyond the lengths [B] of sequences [T, B, ...]. It may hold anything, NaN and
/// infinity included. A product with 0 would let them through (0 * NaN is NaN), so padding is
/// replaced, never multiplied.
namespace attune::kernels {

/// Errors (named after `op`): lengths are not one for each of the `batch` sequences, or outside [0,
/// steps].
void check_lengths(const char* op, const Indices& lengths, std::int64_t steps, std::int64_t batch);

/// x with zeros in the padding: x itself where they are there already, else a copy, or with
/// `in_place` x changed. Lengths that are not defined leave no padding.
Array clear_padding(const Array& x, const Indices& lengths, bool in_place = false);

}  // namespace attune::kernels
