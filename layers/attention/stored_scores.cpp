#include "attune/layers/attention/stored_scores.h"

#include <cmath>
#include <vector>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/matmul.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

Tensor by_heads(const Tensor& x, std::int64_t own, std::int64_t heads) {
  const Tensor split = reshape(x, {x.size(0), x.size(1), own, x.size(2) / own});
  Tensor y = permute(split, {1, 2, 0, 3});
  if (own == heads) return y;
  std::vector<std::int32_t> shared;
  for (std::int64_t h = 0; h < heads; ++h)
    shared.push_back(static_cast<std::int32_t>(h * own / heads));
  return index_select(y, 1, Indices(shared));
}

Tensor dot_product_scores(const Tensor& query, const Tensor& key,
                          const DotProductOptions& options) {
  const std::int64_t heads = options.heads;
  const std::int64_t key_heads = options.key_heads == 0 ? heads : options.key_heads;
  const Tensor q = by_heads(query, heads, heads), k = by_heads(key, key_heads, heads);
  const double features = static_cast<double>(query.size(2) / heads);
  return matmul(q * options.scale.value_or(1 / std::sqrt(features)), transpose(k));
}

Tensor sum_of_values(const Tensor& weights, const Tensor& value, const DotProductOptions& options) {
  const std::int64_t heads = options.heads, queries = weights.size(2), batch = weights.size(0);
  const std::int64_t key_heads = options.key_heads == 0 ? heads : options.key_heads;
  const std::int64_t value_heads = options.value_heads == 0 ? key_heads : options.value_heads;
  const Tensor context = matmul(dropout(weights, options.dropout),
                                by_heads(value, value_heads, heads));  // [B, H, T, e]
  return reshape(permute(context, {2, 0, 1, 3}), {queries, batch, heads * context.size(3)});
}

}  // namespace attune
