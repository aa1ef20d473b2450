#pragma once

#include <optional>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

/// Attention of whole sequences by several heads. T is the number of queries, S of keys; features
/// of the heads lie side by side: [T, B, H * d].
namespace attune {

struct DotProductOptions {
  std::int64_t heads = 1;   ///< H
  Indices lengths = {};     ///< [B]: only the first lengths[b] keys of row b take part; all if not
                            ///< defined
  bool causal = false;      ///< query t sees only keys s <= t + offset
  std::int64_t offset = 0;  ///< where the first query stands: S - T when the last query stands at
                            ///< the last key, as in decoding with what was kept of earlier steps
  std::optional<double> scale = {};  ///< of the scores; 1 / sqrt(d) if not set
};

/// For each batch row and head, context = softmax(scale query key^T) value (Vaswani et al. 2017,
/// eq. 1). query [T, B, H * d], key [S, B, H * d], value [S, B, H * e] -> [T, B, H * e]. A query
/// that sees no key has context 0 and passes no gradient on. Keys that a query does not see, beyond
/// a length or after a causal one, may hold anything, NaN and infinity included, and so may the
/// gradients of their weights: nothing of it reaches that query.
///
/// The [T, S] scores never lie in memory: they are made in tiles, forward with a running maximum
/// and sum (Rabe and Staats 2021), backward anew from the log sum exp of each row, which with the
/// context is all that is kept (Dao et al. 2022, algorithms 1 and 4).
/// Errors: sizes do not fit or are no multiple of the heads; lengths are not one for each row, or
/// outside [0, S].
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const DotProductOptions& options = {});

/// What attention finds for all queries, and where they looked.
struct SequenceAttention {
  Tensor context;  ///< [T, B, H * e]
  Tensor weights;  ///< [B, H, T, S]: each row adds up to 1, or is 0 where a query sees no key
};

/// The same with the weights, through which gradients flow too.
SequenceAttention scaled_dot_product_attention_with_weights(const Tensor& query, const Tensor& key,
                                                            const Tensor& value,
                                                            const DotProductOptions& options = {});

}  // namespace attune
