#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// The distribution of a token that is either generated from a vocabulary of V tokens or copied
/// from one of S positions of a source (See et al. 2017, eq. 9), as log-probabilities:
///
///     p_y = g softmax(logits)_y + sum_{s: tokens_s = y} copies_s      0 <= y < N
///     y   = log max(p_y, least)
///
/// where the softmax is 0 from V on: these tokens, of which N >= V includes some, can only be
/// copied. Computed in one pass over each row. The gradient is 0 where `least` is used, and copies
/// of 0 have no influence, whatever their tokens are.
/// Shapes: logits [..., B, V], generate g [..., B, 1], copies [..., B, S], tokens [B, S] ->
/// [..., B, N]. Errors: the shapes or dtypes do not match; N is below V; a token outside [0, N);
/// `least` is not above 0.
Tensor log_copy_mixture(const Tensor& logits, const Tensor& generate, const Tensor& copies,
                        const Indices& tokens, std::int64_t vocabulary, double least);

}  // namespace attune
