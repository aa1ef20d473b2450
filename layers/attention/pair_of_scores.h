#pragma once

#include <memory>

#include "attune/layers/attention/attention_score.h"

namespace attune {

/// Two scores of the same keys, for a normaliser with score_count() 2: the scores [2, B, S] of a
/// query. Internal to Attention. Parameters: first.* and second.*, as in the scores.
class PairOfScores : public AttentionScore {
 public:
  PairOfScores(std::shared_ptr<AttentionScore> first, std::shared_ptr<AttentionScore> second);
  /// Both projections, one beside the other: [S, B, 2 A].
  Tensor project_keys(const Tensor& keys) const override;
  Tensor operator()(const Tensor& query, const Tensor& projected_keys,
                    AttentionState& state) const override;
  bool reads_coverage() const override { return first_->reads_coverage(); }
  bool moves() const override { return first_->moves(); }
  Tensor penalty(const Tensor& weights, const AttentionState& before) const override {
    return first_->penalty(weights, before);
  }

 private:
  std::shared_ptr<AttentionScore> first_, second_;  // of one kind
};

}  // namespace attune
