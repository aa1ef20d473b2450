#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct HardNormalizerOptions {
  double expected = 0.5;  ///< probability of a step with the soft weights in training
  double entropy = 0.01;  ///< lambda_e, the factor of the entropy in the loss
};

/// Stochastic hard attention (Xu et al. 2015, sec. 4.1): each step attends to one position, drawn
/// from p = softmax(e), so that the context is the value at that position. Drawing has no gradient;
/// the scores learn by REINFORCE, from the log-probability of the position, which is returned with
/// the weights, and the reward that the loss of the model computes (see policy_loss()).
/// To lower the variance, as in the paper, a step in training has the soft weights p with the
/// probability `expected` (one draw for the whole batch), and the penalty -lambda_e H(p) keeps the
/// entropy H up. Under Eval the position is the one with the best score.
/// No parameters. Errors: a probability outside [0, 1]; a negative factor.
class HardNormalizer : public Normalizer {
 public:
  explicit HardNormalizer(const HardNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  HardNormalizerOptions options_;
};

}  // namespace attune
