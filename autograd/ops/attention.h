#pragma once

#include "attune/autograd/tensor.h"

/// The inner steps of attention for one query per batch row. S is the number of source positions:
/// keys are [S, B, K] (time-major, as an encoder leaves them), weights [B, S]. Keys and values
/// that a length or a mask hides may hold anything: softmax() with lengths or a Mask gives them the
/// weight 0 and their scores the gradient 0, and such a position has no influence here.
namespace attune {

/// score(b, s) = keys[s, b] . query[b]. query [B, K], keys [S, B, K] -> [B, S].
/// Errors: sizes do not fit.
Tensor dot_score(const Tensor& query, const Tensor& keys);

/// score(b, s) = v . tanh(keys[s, b] + query[b]). query [B, A], keys [S, B, A], v [A] -> [B, S].
/// The additive score W [h ; y] split into its two halves: keys = W_h h, query = W_y y (Bahdanau et
/// al. 2015, A.1.2). Backward computes the tanh again rather than keep [S, B, A] of it for each
/// step. Errors: sizes do not fit.
Tensor additive_score(const Tensor& query, const Tensor& keys, const Tensor& v);

/// context[b] = sum_s weights[b, s] values[s, b], over the positions with a weight that is not 0:
/// the others may hold NaN. weights [B, S], values [S, B, V] -> [B, V].
/// Errors: sizes do not fit.
Tensor weighted_sum(const Tensor& weights, const Tensor& values);

}  // namespace attune
