#pragma once

#include "attune/layers/attention/attention_score.h"

namespace attune {

struct AdditiveScoreOptions {
  std::int64_t query_size = 0, key_size = 0;
  std::int64_t hidden = 0;   ///< A
  bool query_first = false;  ///< W [y ; h] instead of W [h ; y]
};

/// score(h, y) = v^T tanh(W [h ; y]): a feed-forward network with one hidden layer of A units
/// (Bahdanau et al. 2015, A.1.2). Since W [h ; y] = W_h h + W_y y, W_h is applied once per source
/// and W_y once per query. With query_first, it is "concat" of Luong et al. 2015, sec. 3.1, v^T
/// tanh(W [y ; h]), which differs in the order of W's columns only.
/// Parameters: weight W [A, K + Q] or [A, Q + K], uniform in +-1 / sqrt(K + Q), and v [A], uniform
/// in +-1 / sqrt(A).
/// Errors: no hidden units; keys or queries of another size.
class AdditiveScore : public AttentionScore {
 public:
  explicit AdditiveScore(const AdditiveScoreOptions& options);
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;

 private:
  std::int64_t query_size_, key_size_;
  std::int64_t first_query_column_, first_key_column_;
  Tensor weight_, v_;
};

}  // namespace attune
