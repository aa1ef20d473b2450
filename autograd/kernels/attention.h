#pragma once

#include <cstdint>

/// Attention with one query per batch row, over sequences [S, B, F]. Batch rows are split among
/// threads, and each thread writes only to its own rows. A position whose weight or score gradient
/// is 0, such as one beyond a sequence's length, is skipped rather than multiplied by 0: it may
/// hold NaN or infinity.
namespace attune::kernels {

struct AttentionSizes {
  std::int64_t sources, batch, features;
};

/// A gradient buffer to overwrite, or to add to with `accumulate`; nullptr if it is not needed.
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

/// The gradients of additive_forward(). With t = tanh(keys[s, b] + query[b]) and
/// p = dscores[b, s] v (1 - t^2):
/// dkeys[s, b] = p, dquery[b] = sum_s p, dv = sum_{b,s} dscores[b, s] t.
template <typename T>
void additive_backward(const AttentionSizes& n, const T* query, const T* keys, const T* v,
                       const T* dscores, Target<T> dquery, Target<T> dkeys, Target<T> dv);

}  // namespace attune::kernels
