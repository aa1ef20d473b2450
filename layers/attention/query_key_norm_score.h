#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct QueryKeyNormScoreOptions {
  std::int64_t query_size = 0, key_size = 0;  ///< must be equal
  double length = 20;  ///< L of a long source, for the initial value of g; above 1
};

/// score(h, y) = g (h / |h|) . (y / |y|), query-key normalisation (Henry et al. 2020): as the
/// cosine score, but with an unconstrained gain g, whose initial value log2(L^2 - L) lets one of L
/// keys get most of the weight. In the paper, L is the 97.5th percentile of the lengths of the
/// training data.
/// Parameters: gain g [1]. Errors: queries and keys differ in size; a length that is not above 1.
class QueryKeyNormScore : public AttentionScore {
 public:
  explicit QueryKeyNormScore(const QueryKeyNormScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;
  std::optional<DotProduct> as_dot_product() const override { return DotProduct{}; }
  /// g y / |y|
  Tensor project_query(const Tensor& query) const override;

 private:
  Tensor gain_;
};

}  // namespace attune
