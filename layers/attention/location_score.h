#pragma once

#include "attune/layers/attention/attention_score.h"
#include "attune/layers/linear.h"

namespace attune {

struct LocationScoreOptions {
  std::int64_t query_size = 0, key_size = 0;
  std::int64_t hidden = 64;   ///< A
  std::int64_t filters = 10;  ///< k
  std::int64_t width = 31;    ///< of a filter, r; odd
};

/// The location-aware score of Chorowski et al. 2015: an additive score that also takes features of
/// where the step before attended, so that it can move on from there:
///
///     f_s = F * a_{i-1}  at s                   convolution of the previous weights
///     score = v^T tanh(W y + V h_s + U f_s + b)
///
/// At the first step the previous weights are 0.
/// Parameters: filters F [k, 1, r], query.weight W [A, Q], key.weight V [A, K], key.bias b,
/// location.weight U [A, k], v [A].
/// Errors: a size below 1; an even width.
class LocationScore : public AttentionScore {
 public:
  explicit LocationScore(const LocationScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override { return key_(keys); }
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;

 private:
  Linear query_, key_, location_;
  Tensor filters_, v_;
};

}  // namespace attune
