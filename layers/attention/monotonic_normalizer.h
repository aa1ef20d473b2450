#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct MonotonicNormalizerOptions {
  double noise = 1;    ///< standard deviation of the noise in training
  double offset = -1;  ///< initial value of r
};

/// Monotonic attention (Raffel et al. 2017): each step moves along the source from where the step
/// before stopped, and stops at position s with probability
///
///     p_s = sigmoid(g e_s + r + noise)
///
/// In training the weights are the expected alignment a (see monotonic_alignment()), and the noise,
/// drawn from a normal distribution, drives p to 0 or 1. Under Eval there is no noise, and the
/// alignment is hard: it stops at the first position from the one before on with p > 1/2, whose
/// weight is 1. If there is none, all weights are 0, and the next step starts at the same position.
/// The gain g is that of the paper's energy, g v^T / |v| tanh(...) + r, and here goes with any
/// score. (Sec. 2.4; the paper's offset starts at -4 for speech, where a step passes many frames.)
/// Parameters: gain g [1], 1 at first, and offset r [1].
/// Errors: a negative noise.
class MonotonicNormalizer : public Normalizer {
 public:
  explicit MonotonicNormalizer(const MonotonicNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
  bool moves() const override { return true; }

 protected:
  /// The alignment of this step, from scores of mask_scores(); updates state.position, which holds
  /// the alignment of the newest step that stopped.
  Tensor align(const Tensor& masked, AttentionState& state) const;

 private:
  double noise_;
  Tensor gain_, offset_;
};

}  // namespace attune
