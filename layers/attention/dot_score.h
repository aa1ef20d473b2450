#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct DotScoreOptions {
  std::int64_t query_size = 0, key_size = 0;  ///< must be equal
  bool scaled = false;                        ///< divide by sqrt(K), K the size of a key
};

/// score(h, y) = h . y (Luong et al. 2015, sec. 3.1, "dot"), or h . y / sqrt(K), which keeps the
/// standard deviation of scores near 1 for any K (Vaswani et al. 2017, sec. 3.2.1). No parameters.
/// Errors: queries and keys differ in size.
class DotScore : public AttentionScore {
 public:
  explicit DotScore(const DotScoreOptions& options);
  Tensor operator()(const Tensor& query, const Tensor& keys, AttentionState& state) const override;
  std::optional<DotProduct> as_dot_product() const override { return DotProduct{scale_}; }

 private:
  double scale_;
};

}  // namespace attune
