#pragma once

#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/linear.h"

namespace attune {

/// Linear attention (Katharopoulos et al. 2020): the softmax's exp(q . k) is replaced by a product
/// of positive features, f(q) . f(k), so that the sums over all earlier positions are a state:
///
///     S_t = S_{t-1} + f(k_t) v_t^T,   z_t = z_{t-1} + f(k_t)          eq. 10 and 11
///     y_t = S_t^T f(q_t) / (z_t . f(q_t))                             eq. 12
///     f(x) = elu(x) + 1                                               eq. 7
///
/// in each head, with q = query(x), k = key(x), v = value(x); the output is out([y of all heads]).
/// 1e-6 is added to the denominator, as in the authors' program. z is computed as one more feature
/// of the values, which is always 1.
///
/// Shapes: x [T, B, F] -> [T, B, F]; the state is [B, H, d, d + 1] with d = F / H.
/// Parameters: query, key, value and out, each with weight and bias as in Linear.
class LinearMixer : public SequenceMixer {
 public:
  LinearMixer(std::int64_t features, std::int64_t heads);
  Mixed operator()(const Tensor& x, const MixerState& state) const override;

 private:
  std::int64_t heads_;
  Linear query_, key_, value_, out_;
};

}  // namespace attune
