#pragma once

#include "attune/layers/attention/sequence_mixer.h"

namespace attune {

/// A convolution of each feature over the last positions, x_{t - width + 1} ... x_t, followed by
/// SiLU (Gu and Dao 2023, sec. 3.4):
///
///     y_{t, c} = silu(bias_c + sum_k weight_{c, k} x_{t - width + 1 + k, c})
///
/// with zeros before the first position. Its state is MixerState::recent, [B, width - 1, C].
/// Shapes: x [T, B, C] -> [T, B, C]. Parameters: weight [C, width], and bias [C] unless it has
/// none, both uniform in +-1 / sqrt(width).
/// Errors: a size below 1; x is not [T, B, C].
class ShortConvolution : public Layer {
 public:
  ShortConvolution(std::int64_t features, std::int64_t width, bool bias);
  /// Takes the inputs before x from `recent` (not defined: zeros), and replaces them by the latest.
  Tensor operator()(const Tensor& x, Tensor& recent) const;

 private:
  Tensor weight_, bias_;
};

}  // namespace attune
