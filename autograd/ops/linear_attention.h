#pragma once

#include "attune/autograd/tensor.h"

/// Attention whose memory is a matrix for each head, S [K, V], to which each position adds an
/// association of its key and value, and from which each position reads with its query. All
/// positions of a sequence are computed in chunks of 64, by matrix products within a chunk (Yang et
/// al. 2024, arXiv:2406.06484 and arXiv:2412.06464), or one after another, with the state returned
/// for the positions before; both give the same results up to rounding.
///
/// Shapes: T positions, B batch rows, H heads, whose features are adjacent:
/// query, key [T, B, H K], value [T, B, H V], beta, log_decay [T, B, H], state [B, H, K, V] ->
/// output [T, B, H V], state [B, H, K, V].
/// A position has no influence on those before it, but all values must be finite.
/// Errors (both functions): shapes or dtypes that do not match.
namespace attune {

struct LinearAttentionOptions {
  std::int64_t heads = 1;  ///< H
  /// log a_t, at most 0, of the factor of the state at each position. Not defined: a_t = 1.
  Tensor log_decay = {};
  Tensor state = {};  ///< that before the first position; not defined: 0
};

/// The outputs of all positions, and the state after the last one.
struct StateResult {
  Tensor output, state;
};

/// Adds each association to the decayed state:
///
///     S_t = a_t S_{t-1} + k_t v_t^T
///     y_t = S_t^T q_t
///
/// Without decay this is the numerator of linear attention (Katharopoulos et al. 2020, sec. 3.3);
/// with a decay that is the same for all t, retention (Sun et al. 2023, eq. 6).
StateResult linear_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                             const LinearAttentionOptions& options = {});

/// Corrects the value that the decayed state has for the key, by a share beta_t of the difference:
///
///     S_t = a_t S_{t-1} + beta_t k_t (v_t - a_t S_{t-1}^T k_t)^T
///     y_t = S_t^T q_t
///
/// the delta rule (Schlag et al. 2021, sec. 4.2), and with decay the gated delta rule (Yang et al.
/// 2024, arXiv:2412.06464, eq. 10). It is stable for beta_t |k_t|^2 in [0, 2].
StateResult delta_rule(const Tensor& query, const Tensor& key, const Tensor& value,
                       const Tensor& beta, const LinearAttentionOptions& options = {});

}  // namespace attune
