#pragma once

#include "attune/layers/attention/head_mixer.h"

namespace attune {

/// Differential attention (Ye et al. 2024, sec. 2.1): each head takes the difference of two
/// softmaxes, which cancels what both attend to. Queries and keys of a head are split into halves
/// q1, q2 and k1, k2 of d = F / (2 H) features; its values keep 2 d features:
///
///     c = (softmax(q1 k1^T / sqrt(d)) - lambda softmax(q2 k2^T / sqrt(d))) v          eq. 1
///     lambda = exp(l_q1 . l_k1) - exp(l_q2 . l_k2) + lambda_0                         eq. 2
///     context = (1 - lambda_0) RMSNorm(c)                                             eq. 3
///     lambda_0 = 0.8 - 0.6 exp(-0.3 l)        for layer l = 0, 1, ... (l - 1 in the paper)
///
/// All heads share lambda and the gain of the norm, which is computed for each head separately (the
/// paper calls it LN in eq. 3 and GroupNorm in figure 2). Returned weights are the differences.
/// Both softmaxes are computed by the kernel of scaled_dot_product_attention(), with 2 H heads.
/// Parameters: lambda_q1, lambda_k1, lambda_q2, lambda_k2 [d], normal with standard deviation 0.1;
/// norm [2 d], 1 at first.
/// Errors: F is not a multiple of 2 H.
class DifferentialHeads : public HeadMixer {
 public:
  DifferentialHeads(std::int64_t features, std::int64_t heads, std::int64_t layer = 0);
  SequenceAttention operator()(const Tensor& query, const Tensor& key, const Tensor& value,
                               const DotProductOptions& options, bool weights) const override;
  std::int64_t score_heads(std::int64_t heads) const override { return 2 * heads; }

 private:
  Tensor lambda() const;  // a scalar

  double lambda_0_;
  Tensor lambda_q1_, lambda_k1_, lambda_q2_, lambda_k2_, norm_;
};

}  // namespace attune
