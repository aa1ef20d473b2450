#pragma once

#include <algorithm>
#include <cstdint>

#include "attune/autograd/kernels/attention.h"
#include "attune/autograd/kernels/attention_mask.h"
#include "attune/autograd/kernels/rows.h"

/// Scaled dot-product attention over whole sequences [T, B, H * d]. Each (batch row, head) pair is
/// a strided matrix whose rows are B * H * d elements apart, so no transpose is needed. Scores are
/// computed in tiles; no [T, S] matrix is stored unless the weights are requested.
///
/// A key that is hidden from a query does not affect that query's results and gradients, nor does
/// the query affect the key's gradients, even if keys, values, queries or incoming gradients hold
/// NaN or infinity.
namespace attune::kernels {

/// Dropout of weights: each is kept, times 1 / (1 - p), or becomes 0. Whether the weight of query t
/// and key s of a pair is kept depends only on the pair, t, s and `key`, the key of the random
/// numbers: see philox().
struct AttentionDropout {
  double p = 0;
  std::uint64_t key = 0;
};

struct MultiHeadSizes {
  std::int64_t queries, keys, batch, heads;
  std::int64_t key_features, value_features;  ///< per head
  double scale;                               ///< factor of the scores
  AttentionMask mask = {};
  /// The heads of keys and of values, each used by heads / key_heads or heads / value_heads
  /// consecutive heads of queries. Each divides `heads`, and the smaller one divides the other.
  std::int64_t key_heads = heads, value_heads = heads;
  AttentionDropout dropout = {};
  /// The number of batch rows of keys and values. Row b of the queries attends to row key_rows[b],
  /// or to row b if that is nullptr. With key_rows_step = batch instead of 0, key_rows is
  /// [keys, batch], a row for each position and row of queries; only multi_head_forward() accepts
  /// this, if takes_rows_of_positions(). multi_head_backward() accepts no key_rows.
  std::int64_t key_batch = batch;
  const std::int32_t* key_rows = nullptr;
  std::int64_t key_rows_step = 0;

  std::int64_t pairs() const { return batch * heads; }
  std::int64_t key_pairs() const { return key_batch * key_heads; }
  std::int64_t value_pairs() const { return key_batch * value_heads; }
  /// The (batch row, head) pair of the keys, and that of the values, that a pair of the queries
  /// attends to.
  std::int64_t key_pair(std::int64_t pair) const { return pair_of(pair, key_heads); }
  std::int64_t value_pair(std::int64_t pair) const { return pair_of(pair, value_heads); }
  /// Either of these, given the number of heads; `position` matters only if key_rows_step > 0.
  std::int64_t pair_of(std::int64_t pair, std::int64_t shared_heads,
                       std::int64_t position = 0) const {
    const std::int64_t in_row = pair % heads / (heads / shared_heads), row = pair / heads;
    return (key_rows ? key_rows[position * key_rows_step + row] : row) * shared_heads + in_row;
  }
  /// The keys within the length and the window of a query; `pair` is b * heads + h. Both ends are
  /// non-decreasing in `query`.
  KeyRange range(std::int64_t pair, std::int64_t query) const {
    return mask.range(pair / heads, query, keys);
  }
};

/// True if multi_head_forward() accepts a row for each position (key_rows_step > 0): for one query
/// in each batch row, without a boolean mask, bias or dropout, if Attune's own matrix kernel is
/// available for T.
template <typename T>
bool takes_rows_of_positions(const MultiHeadSizes& n);

/// context[t] = sum_s softmax_s(scale query[t] . key[s] + bias[t, s]) value[s]; log_sums [B, H, T]
/// is the log-sum-exp of each row of scores. Dropout applies to the softmax. A query without
/// visible keys, or whose scores are all -infinity, gets context 0 and log sum {0, 0}.
template <typename T>
void multi_head_forward(const MultiHeadSizes& n, const T* query, const T* key, const T* value,
                        T* context, LogSumExp<T>* log_sums);

/// weights [B, H, T, S] = exp(scale query . key + bias - log_sum), and 0 for hidden keys, all
/// without dropout.
template <typename T>
void multi_head_weights(const MultiHeadSizes& n, const T* query, const T* key,
                        const LogSumExp<T>* log_sums, T* weights);

/// Inputs and results of the forward pass, and the gradients of the results.
template <typename T>
struct MultiHeadSaved {
  const T *query, *key, *value, *context;
  const LogSumExp<T>* log_sums;
  const T* dcontext;
  const T *weights, *dweights;  ///< nullptr unless weights were requested
};

/// The gradients of both functions above. With p the weights, recomputed tile by tile from the log
/// sums, m the factors of dropout (1 without it), and dp = m (dcontext . value) + dweights,
///
///     ds = p (dp - mean),   mean[t] = dcontext[t] . context[t] + weights[t] . dweights[t]
///     dquery = scale ds key,   dkey = scale ds^T query,   dvalue = (m p)^T dcontext
///
/// where mean[t] equals sum_s p dp. The gradient of the bias is ds, summed over queries and keys
/// where the bias is broadcast along them; it is added to dbias [B, H, T or 1, S or 1], unless that
/// is nullptr.
template <typename T>
void multi_head_backward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, Target<T> dquery,
                         Target<T> dkey, Target<T> dvalue, T* dbias = nullptr);

}  // namespace attune::kernels
