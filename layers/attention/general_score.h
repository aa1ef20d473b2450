#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct GeneralScoreOptions {
  std::int64_t query_size = 0, key_size = 0;
};

/// score(h, y) = h^T W y (Luong et al. 2015, sec. 3.1, "general", where W is the transpose of this
/// one): a learned similarity, also of keys and queries of different sizes. h^T W is computed once
/// per source, which leaves a dot product for each query.
/// Scores grow with the sizes. If the weights end up at one position early in training, divide the
/// scores by sqrt(K) with TemperatureNormalizer, as scaled_dot does.
/// Parameters: weight W [K, Q], uniform in +-1 / sqrt(Q).
/// Errors: a size below 1.
class GeneralScore : public AttentionScore {
 public:
  explicit GeneralScore(const GeneralScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;
  std::optional<DotProduct> as_dot_product() const override { return DotProduct{}; }

 private:
  Tensor weight_;
};

}  // namespace attune
