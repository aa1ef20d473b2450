#pragma once

#include "attune/autograd/ops/multi_head_attention.h"

/// scaled_dot_product_attention() in parts, for mechanisms that need the scores of all pairs.
namespace attune {

/// The heads of a sequence apart, of `own` heads; consecutive ones of `heads` share them:
/// [T, B, own * d] -> [B, heads, T, d].
Tensor by_heads(const Tensor& x, std::int64_t own, std::int64_t heads);

/// scale query key^T for each batch row and head, without bias and mask. Shapes: query
/// [T, B, H * d], key [S, B, G * d] -> [B, H, T, S].
Tensor dot_product_scores(const Tensor& query, const Tensor& key, const DotProductOptions& options);

/// The sum of the values by weights [B, H, T, S], some of which `options` drop: value
/// [S, B, G * e] -> [T, B, H * e].
Tensor sum_of_values(const Tensor& weights, const Tensor& value, const DotProductOptions& options);

}  // namespace attune
