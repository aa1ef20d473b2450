#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct CosineScoreOptions {
  std::int64_t query_size = 0, key_size = 0;  ///< equal
  double sharpness = 10;                      ///< beta at first; above 0
};

/// score(h, y) = beta h . y / (|h| |y|): how far two directions agree, whatever their lengths,
/// times a sharpness beta > 0 (Graves et al. 2014, eq. 5 and 6, content addressing). There a
/// controller gives beta anew at every step; here it is learned, as beta = exp(b), and starts at
/// 10, as in Liu et al. 2022 (Swin Transformer V2, sec. 3.3). Keys are brought to length 1 once for
/// each source. A key or query of 0 has the score 0.
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
