#pragma once

#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/linear.h"

namespace attune {

/// Retention (RetNet; Sun et al. 2023): linear attention without normalisation, whose state decays
/// at another rate in each head, and whose queries and keys are rotated in proportion to the
/// position:
///
///     S_t = a_h S_{t-1} + k_t v_t^T,   y_t = S_t^T q_t,   a_h = 1 - 2^(-5 - h)     eq. 6 and 8
///     output = out(silu(gate(x)) * GroupNorm([y of all heads]))                    eq. 8
///
/// for heads h = 0, 1, ..., with q = rotary(query(x)), k = rotary(key(x)) / sqrt(d), v = value(x).
/// Of xPos, only the rotation is taken, as in the paper, where the decay has the place of its
/// factors. The group norm is a layer norm of each head's features without gain and bias, as in the
/// authors' program at first (later without centering); since it removes any factor of y, their
/// other divisions, which are for low precision, are left out. Values are as wide as keys; the
/// paper's are twice as wide.
///
/// Shapes: x [T, B, F] -> [T, B, F]; the state is [B, H, d, d] with d = F / H.
/// Parameters: query, key, value, gate and out, each with a weight as in Linear, and no bias.
class RetentionMixer : public SequenceMixer {
 public:
  RetentionMixer(std::int64_t features, std::int64_t heads);
  Mixed operator()(const Tensor& x, const MixerState& state) const override;

 private:
  std::int64_t heads_;
  Linear query_, key_, value_, gate_, out_;
};

}  // namespace attune
