#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct CosineScoreOptions {
  std::int64_t query_size = 0, key_size = 0;  ///< must be equal
  double sharpness = 10;                      ///< initial value of beta, above 0
};

/// score(h, y) = beta h . y / (|h| |y|): the cosine similarity times a sharpness beta > 0 (Graves
/// et al. 2014, eq. 5 and 6, content addressing). In that paper a controller computes beta at every
/// step; here it is a parameter, beta = exp(b), as in Liu et al. 2022 (Swin Transformer V2, eq. 2,
/// where each head has its own; the initial value 10 is that of their program). Keys are normalised
/// to length 1 once per source. A key or query that is 0 has the score 0.
/// Parameters: log_sharpness b [1].
/// Errors: queries and keys differ in size; a sharpness that is not above 0.
class CosineScore : public AttentionScore {
 public:
  explicit CosineScore(const CosineScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;
  std::optional<DotProduct> as_dot_product() const override { return DotProduct{}; }
  /// beta y / |y|
  Tensor project_query(const Tensor& query) const override;

 private:
  Tensor log_sharpness_;
};

}  // namespace attune
