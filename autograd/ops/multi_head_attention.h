#pragma once

#include <optional>

#include "attune/autograd/ops/mask.h"
#include "attune/autograd/tensor.h"

/// Attention of whole sequences by several heads. T is the number of queries, S of keys; features
/// of the heads lie side by side: [T, B, H * d].
namespace attune {

struct DotProductOptions {
  std::int64_t heads = 1;  ///< H
  Mask mask = {};          ///< which keys each query sees, and what is added to its scores
  std::optional<double> scale = {};  ///< of the scores; 1 / sqrt(d) if not set
};

/// For each batch row and head, context = softmax(scale query key^T + bias) value (Vaswani et al.
/// 2017, eq. 1), over the keys that the mask lets a query see. query [T, B, H * d], key [S, B, H *
/// d], value [S, B, H * e] -> [T, B, H * e]. A query that sees no key has context 0 and passes no
/// gradient on. Keys and bias entries that a query does not see may hold anything, NaN and infinity
/// included, and so may the gradients of their weights: nothing of it reaches that query.
///
/// The [T, S] scores never lie in memory: they are made in tiles, forward with a running maximum
/// and sum (Rabe and Staats 2021), backward anew from the log sum exp of each row, which with the
/// context is all that is kept (Dao et al. 2022, algorithms 1 and 4). Tiles that the mask hides
/// take no product, and those outside its lengths and window no time at all. The gradient of a bias
/// takes memory for [B, H, T, S], with 1 for T or S where the bias is broadcast over it.
/// Errors: sizes do not fit or are no multiple of the heads; those of Mask::view().
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
