#pragma once

#include <cstdint>

/// Loops of attention with one query per batch row, over sequences [S, B, F]. Batch rows are shared
/// out over threads; each owns the rows it writes. A weight or a gradient of a score that is 0, as
/// they are beyond a sequence's length, leaves its position out, whatever that holds: 0 * NaN would
/// be NaN.
namespace attune::kernels {

struct AttentionSizes {
  std::int64_t sources, batch, features;
};

/// A gradient to write or to add to; nullptr when nobody wants it.
template <typename T>
struct Target {
  T* data;
  bool accumulate;
};

/// scores[b, s] = rows[b] . sequence[s, b]
template <typename T>
void rows_dot(const AttentionSizes& n, const T* rows, const T* sequence, T* scores);

/// rows[b] (+)= sum_s weights[b, s] sequence[s, b]
template <typename T>
void rows_combine(const AttentionSizes& n, const T* weights, const T* sequence, T* rows,
                  bool accumulate);

/// sequence[s, b] (+)= weights[b, s] rows[b]
template <typename T>
void rows_spread(const AttentionSizes& n, const T* weights, const T* rows, T* sequence,
                 bool accumulate);

/// scores[b, s] = v . tanh(keys[s, b] + query[b])
template <typename T>
void additive_forward(const AttentionSizes& n, const T* query, const T* keys, const T* v,
                      T* scores);

/// Its gradients: with t = tanh(keys[s, b] + query[b]) and p = dscores[b, s] v (1 - t^2),
/// dkeys[s, b] = p, dquery[b] = sum_s p, dv = sum_{b,s} dscores[b, s] t.
template <typename T>
void additive_backward(const AttentionSizes& n, const T* query, const T* keys, const T* v,
                       const T* dscores, Target<T> dquery, Target<T> dkeys, Target<T> dv);

}  // namespace attune::kernels
