#pragma once

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/linear.h"

namespace attune {

struct GaussianMixtureScoreOptions {
  std::int64_t query_size = 0;
  std::int64_t components = 5;  ///< K
};

/// The window of Graves 2013 (arXiv:1308.0850, eq. 46 to 51): attention by position alone, a
/// mixture of K Gaussians whose centres move along the source:
///
///     (alpha, beta, delta) = exp(W y + b),   kappa_t = kappa_{t-1} + delta
///     phi(s) = sum_k alpha_k exp(-beta_k (kappa_k - s)^2)
///
/// Returns log phi(s), so that softmax gives weights phi(s) / sum_j phi(j). (The paper uses phi(s)
/// itself, which the normaliser "exp" gives.) Positions count from 0, and kappa starts at -1, so
/// that delta = 1 attends to the first position at the first step. The state's position is kappa.
/// Parameters: window.weight W [3 K, Q], window.bias b. Errors: a size below 1.
class GaussianMixtureScore : public AttentionScore {
 public:
  explicit GaussianMixtureScore(const GaussianMixtureScoreOptions& options);
  Tensor operator()(const Tensor& query, const Tensor& keys, AttentionState& state) const override;
  bool moves() const override { return true; }

 private:
  std::int64_t components_;
  Linear window_;
};

}  // namespace attune
