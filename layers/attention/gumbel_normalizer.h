#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct GumbelNormalizerOptions {
  double temperature = 1;  ///< tau, above 0
  bool hard = false;  ///< one position has the weight 1; gradients are those of the soft weights
};

/// a = softmax((e + g) / tau) with noise g_s = -log(-log(u_s)), u_s uniform in (0, 1) (Gumbel
/// softmax; Jang et al. 2016, eq. 2): a differentiable sample of a position from softmax(e). With
/// `hard`, the largest weight becomes 1 in the forward pass (straight-through, sec. 2.2). Under
/// Eval there is no noise, and hard weights are those of the best score.
/// No parameters. Errors: a temperature that is not above 0.
class GumbelNormalizer : public Normalizer {
 public:
  explicit GumbelNormalizer(const GumbelNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  GumbelNormalizerOptions options_;
};

}  // namespace attune
