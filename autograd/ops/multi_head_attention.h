#pragma once

#include <optional>

#include "attune/autograd/ops/mask.h"
#include "attune/autograd/tensor.h"

/// Attention over whole sequences with several heads: T queries, S keys. The features of all heads
/// are concatenated: [T, B, H * d].
namespace attune {

struct DotProductOptions {
  std::int64_t heads = 1;            ///< H
  Mask mask = {};                    ///< the keys visible to each query, and a bias of the scores
  std::optional<double> scale = {};  ///< factor of the scores; 1 / sqrt(d) if not set
  std::int64_t key_heads = 0;        ///< G, heads of the keys; 0: H
  std::int64_t value_heads = 0;      ///< heads of the values; 0: G
  double dropout = 0;                ///< probability to drop a weight, except under Eval
  /// For each of B rows of queries, the batch row of keys and values that it attends to: [B].
  /// Several may share a row. Or [S, B], a row for each position and row of queries, so that the
  /// hypotheses of a beam share the positions that they have in common. Not defined: row b attends
  /// to row b.
  Indices key_rows = {};
};

/// Scaled dot-product attention (Vaswani et al. 2017, eq. 1) for each batch row and head, over the
/// keys that the mask leaves visible:
///
///     context = softmax(scale query key^T + bias) value
///
/// Shapes: query [T, B, H * d], key [S, B, G * d], value [S, B, G * e] -> [T, B, H * e]. A query
/// without visible keys has context 0 and gradient 0. Keys, values and bias entries that are hidden
/// from a query have no influence on its results and gradients; they may hold NaN or infinity, and
/// so may the gradients of hidden weights.
///
/// With fewer heads of keys and values than of queries, consecutive heads share them: head h uses
/// key head h G / H (Ainslie et al. 2023, grouped queries; Shazeer 2019 with G = 1). Dropout sets
/// each weight to 0 with probability p and multiplies the others by 1 / (1 - p); returned weights
/// are those before. Which are dropped is drawn from generator() and computed for each weight from
/// its position, so it takes no memory.
///
/// The [T, S] scores are not stored but computed in tiles: in the forward pass with a running
/// maximum and sum (Rabe and Staats 2021), and again in the backward pass from the log-sum-exp of
/// each row, which is saved together with the context (Dao et al. 2022, algorithms 1 and 4). Tiles
/// that the mask hides completely need no products, and those outside its lengths and window are
/// skipped. The gradient of a bias takes memory for [B, H, T, S], where T or S is 1 if the bias is
/// broadcast along it.
/// Errors: sizes or dtypes do not match; features are not a multiple of the heads; fewer than one
/// head; heads of keys or values that do not divide H, or each other; dropout outside [0, 1); those
/// of Mask::check().
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const DotProductOptions& options = {});

/// The result of attention for all queries.
struct SequenceAttention {
  Tensor context;  ///< [T, B, H * e]
  Tensor weights;  ///< [B, H, T, S]: each row adds up to 1, or is 0 if no key is visible
};

/// The same, and the attention weights, which are differentiable too.
SequenceAttention scaled_dot_product_attention_with_weights(const Tensor& query, const Tensor& key,
                                                            const Tensor& value,
                                                            const DotProductOptions& options = {});

}  // namespace attune
