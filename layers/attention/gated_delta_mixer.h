#pragma once

#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/attention/short_convolution.h"
#include "attune/layers/linear.h"

namespace attune {

/// The gated delta rule (Gated DeltaNet; Yang et al. 2024, arXiv:2412.06464): the delta rule with a
/// decay, by which the state forgets when the input says so:
///
///     S_t = a_t S_{t-1} + beta_t k_t (v_t - a_t S_{t-1}^T k_t)^T,   y_t = S_t^T q_t      eq. 10
///     beta_t = sigmoid(W x_t),   a_t = exp(-exp(log_rate) softplus(U x_t + decay_bias))
///     output = out(RMSNorm(y) * silu(gate(x)))
///
/// in each head. [q ; k ; v] is input(x) after a short convolution with SiLU; q and k are then
/// divided by their norms (sec. 3.4 and figure 1). The decay is that of Mamba 2, with its first
/// values: exp(log_rate) uniform in [1, 16), softplus(decay_bias) from 0.001 to 0.1, uniform in its
/// logarithm. (The authors' program draws the former from [0, 16).) RMSNorm is over the features
/// of a head, with a gain that all heads share. Queries are not divided by sqrt(d), which RMSNorm
/// would undo. Values are as wide as keys; in the paper's models they are twice as wide.
///
/// Shapes: x [T, B, F] -> [T, B, F]; the state is [B, H, d, d] with d = F / H, and the last
/// width - 1 inputs of the convolution. "gated_delta:width=4" is its name and option in
/// make_sequence_mixer(), with the default.
/// Parameters: input, beta, decay, gate and out, each with a weight as in Linear and no bias;
/// convolution.weight [3 F, width]; log_rate and decay_bias [H]; norm [d], 1 at first.
/// Errors: a width below 1.
class GatedDeltaMixer : public SequenceMixer {
 public:
  GatedDeltaMixer(std::int64_t features, std::int64_t heads, std::int64_t width = 4);
  Mixed operator()(const Tensor& x, const MixerState& state) const override;

 private:
  std::int64_t heads_;
  Linear input_, beta_, decay_, gate_, out_;
  ShortConvolution convolution_;
  Tensor log_rate_, decay_bias_, norm_;
};

}  // namespace attune
