#pragma once

#include "attune/attune.h"
#include "squared_distance.h"

namespace extension {

using namespace attune;

/// score(h, y) = -|h - y|^2 / sqrt(K): the closer, the better (Kim et al. 2021, sec. 3.2). Queries
/// and keys are of one size K.
class L2Score : public AttentionScore {
 public:
  /// query [B, K], keys [S, B, K] -> [B, S]
  Tensor operator()(const Tensor& query, const Tensor& keys, AttentionState&) const override {
    const double scale = 1 / std::sqrt(static_cast<double>(query.shape().last()));
    return transpose(squared_distance(keys, query)) * -scale;
  }
};

inline std::shared_ptr<AttentionScore> make_l2_score(const ScoreOptions&) {
  return std::make_shared<L2Score>();
}

}  // namespace extension
