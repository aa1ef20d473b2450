#pragma once

#include <cstdint>

/// Linear attention and the delta rule in chunks of positions: within a chunk as matrix products
/// over pairs of positions, between chunks by a state. See ops/linear_attention.h for the formulas.
/// Pairs of batch row and head are split among threads.
namespace attune::kernels {

/// Sizes: T steps, B batch rows, H heads, K features of a key and V of a value.
struct LinearAttentionSizes {
  std::int64_t steps, batch, heads, key_features, value_features;

  std::int64_t pairs() const { return batch * heads; }
  std::int64_t state() const { return key_features * value_features; }  ///< elements of a pair's
};

/// How many chunks `steps` positions are divided into.
std::int64_t linear_attention_chunks(std::int64_t steps);

template <typename T>
struct LinearAttentionInputs {
  const T *query, *key;  ///< [T, B, H K]
  const T* value;        ///< [T, B, H V]
  const T* beta;         ///< [T, B, H]; null: linear attention instead of the delta rule
  const T* log_decay;    ///< [T, B, H]; null: no decay
};

/// Computes y [T, B, H V] and replaces the first state [B, H, K, V] by the last one. The state
/// before each chunk is stored in `starts` [chunks, B, H, K, V], unless that is null.
template <typename T>
void linear_attention_forward(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in,
                              T* state, T* starts, T* y);

/// Gradients in the shapes of the inputs; beta and log_decay may be null.
template <typename T>
struct LinearAttentionGradients {
  T *query, *key, *value, *beta, *log_decay;
};

/// Computes all gradients from dy, and replaces that of the last state by that of the first.
template <typename T>
void linear_attention_backward(const LinearAttentionSizes& n, const LinearAttentionInputs<T>& in,
                               const T* starts, const T* dy, T* dstate,
                               const LinearAttentionGradients<T>& out);

}  // namespace attune::kernels
