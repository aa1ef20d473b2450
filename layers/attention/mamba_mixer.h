#pragma once

#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/attention/short_convolution.h"
#include "attune/layers/linear.h"

namespace attune {

struct MambaMixerOptions {
  std::int64_t features = 0;  ///< F
  std::int64_t state = 16;    ///< N, numbers of state of each channel
  std::int64_t expand = 2;    ///< there are E = expand F channels
  std::int64_t width = 4;     ///< of the short convolution
};

/// Mamba (Gu and Dao 2023): a selective state space, S6, between a short convolution and a gate
/// (sec. 3.4, figure 3). The input determines how much each of its channels u writes to the state,
/// reads from it and forgets:
///
///     [u ; z] = input(x),   u = silu(convolution(u))
///     [r ; b ; c] = select(u),   delta = softplus(step(r))                  algorithm 2, sec. 3.6
///     h_t = exp(delta_t A) h_{t-1} + delta_t b_t u_t,   y_t = c_t . h_t     see selective_scan()
///     output = out((y + skip * u) * silu(z))
///
/// with A = -exp(log_rate), which begins as -1 ... -N in each channel (S4D-Real), and step of rank
/// ceil(F / 16), whose bias begins so that softplus(bias) is from 0.001 to 0.1, uniform in its
/// logarithm (sec. 3.6). It has no heads.
///
/// Shapes: x [T, B, F] -> [T, B, F]; the state is [B, N, E], and the last width - 1 inputs of the
/// convolution. "mamba:state=16,expand=2,width=4" is its name and options in make_sequence_mixer(),
/// with the defaults.
/// Parameters: input [2 E, F], select [R + 2 N, E] and out [F, E], each with a weight as in Linear
/// and no bias; step [E, R] with bias; convolution.weight [E, width] and bias [E]; log_rate [N, E];
/// skip [E], 1 at first.
/// Errors: a size below 1.
class MambaMixer : public SequenceMixer {
 public:
  explicit MambaMixer(const MambaMixerOptions& options);
  Mixed operator()(const Tensor& x, const MixerState& state) const override;

 private:
  std::int64_t channels_, rank_, states_;
  Linear input_, select_, step_, out_;
  ShortConvolution convolution_;
  Tensor log_rate_, skip_;
};

}  // namespace attune
