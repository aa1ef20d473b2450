#pragma once

#include <algorithm>
#include <cstdint>

#include "attune/autograd/kernels/attention.h"
#include "attune/autograd/kernels/attention_mask.h"
#include "attune/autograd/kernels/rows.h"

/// Scaled dot-product attention of whole sequences, [T, B, H * d], by every head of every batch
/// row. Such a pair (b, h) is a matrix whose rows lie B * H * d apart, so nothing is moved to get
/// at it. Scores exist in tiles only: no [T, S] matrix is ever in memory unless its weights are
/// asked for.
///
/// A key that a query does not see has no influence on that query's results and gradients, nor the
/// query on the key's gradients, whatever keys, values, queries and the gradients that come in
/// hold.
namespace attune::kernels {

struct MultiHeadSizes {
  std::int64_t queries, keys, batch, heads;
  std::int64_t key_features, value_features;  ///< of one head
  double scale;                               ///< of the scores
  AttentionMask mask = {};

  std::int64_t pairs() const { return batch * heads; }
  /// From one position of queries and keys, or of values and results, to the next.
  std::int64_t key_step() const { return pairs() * key_features; }
  std::int64_t value_step() const { return pairs() * value_features; }
  /// The keys that the mask's range leaves to a query of pair b * heads + h; neither end is before
  /// that of the query before.
  KeyRange range(std::int64_t pair, std::int64_t query) const {
    return mask.range(pair / heads, query, keys);
  }
};

/// context[t] = sum_s softmax_s(scale query[t] . key[s] + bias[t, s]) value[s], and log_sums
/// [B, H, T]: of each row of scores the log sum exp, in its parts. A query that sees no key, or has
/// only scores of -infinity, has context and log sum 0.
template <typename T>
void multi_head_forward(const MultiHeadSizes& n, const T* query, const T* key, const T* value,
                        T* context, LogSumExp<T>* log_sums);

/// weights [B, H, T, S] = exp(scale query . key + bias - log_sum), and 0 where a query does not
/// see.
template <typename T>
void multi_head_weights(const MultiHeadSizes& n, const T* query, const T* key,
                        const LogSumExp<T>* log_sums, T* weights);

/// What the forward pass took in and left behind, and the gradients of its results.
template <typename T>
struct MultiHeadSaved {
  const T *query, *key, *value, *context;
  const LogSumExp<T>* log_sums;
  const T* dcontext;
  const T *weights, *dweights;  ///< nullptr unless weights were asked for
};

/// The gradients: with p the weights, made again tile by tile from the log sums, and
/// dp = dcontext . value + dweights,
///
///     ds = p (dp - mean),   mean[t] = dcontext[t] . context[t] + weights[t] . dweights[t]
///     dquery = scale ds key,   dkey = scale ds^T query,   dvalue = p^T dcontext
///
/// where the mean is sum_s p dp. The gradient of a bias is ds; of each pair, summed over queries
/// and keys as the bias is broadcast over them, it is added to dbias [B, H, T or 1, S or 1], if
/// wanted.
template <typename T>
void multi_head_backward(const MultiHeadSizes& n, const MultiHeadSaved<T>& saved, Target<T> dquery,
                         Target<T> dkey, Target<T> dvalue, T* dbias = nullptr);

}  // namespace attune::kernels
