#pragma once

#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/linear.h"

namespace attune {

/// What the delta rule's keys and queries are made from.
enum class DeltaKeys { l2, dpfp };

struct DeltaRuleMixerOptions {
  std::int64_t features = 0;  ///< F
  std::int64_t heads = 1;     ///< H
  DeltaKeys keys = DeltaKeys::l2;
  std::int64_t nu = 1;  ///< of dpfp
};

/// The delta rule (Schlag et al. 2021, sec. 4.2): instead of only adding an association of key and
/// value, each position corrects the value that the state has for its key:
///
///     S_t = S_{t-1} + beta_t f(k_t) (v_t - S_{t-1}^T f(k_t))^T,   beta_t = sigmoid(w . x_t)
///     y_t = S_t^T f(q_t)
///
/// in each head, with q = query(x), k = key(x), v = value(x); the output is out([y of all heads]).
/// With keys=dpfp, f is the paper's, the deterministic projection DPFP (sec. 5.3) divided by its
/// sum:
///
///     r = relu([x ; -x]) of 2 d features,   g_{2 d (j - 1) + i} = r_i r_{i - j}   for j = 1 ... nu
///     f(x) = g / (sum g + 1e-6)
///
/// where i - j counts cyclically. With keys=l2, the default, f(x) = silu(x) / |silu(x)|, as in
/// DeltaNet (Yang et al. 2024, arXiv:2406.06484), which the field has used since: with
/// beta 1, such a key's value is replaced exactly. DeltaNet's short convolutions and normalised
/// outputs are left to "gated_delta".
///
/// Shapes: x [T, B, F] -> [T, B, F]; the state is [B, H, K, d] with d = F / H, and K = d, or with
/// dpfp 2 d nu. "delta_rule:keys=l2,nu=1" is its name and options in make_sequence_mixer(), with
/// the defaults.
/// Parameters: query, key, value, out and beta, each with a weight as in Linear, and no bias.
/// Errors: nu is not in [1, 2 d).
class DeltaRuleMixer : public SequenceMixer {
 public:
  explicit DeltaRuleMixer(const DeltaRuleMixerOptions& options);
  Mixed operator()(const Tensor& x, const MixerState& state) const override;

 private:
  Tensor feature_map(const Tensor& x) const;

  DeltaRuleMixerOptions options_;
  Linear query_, key_, value_, out_, beta_;
};

}  // namespace attune
