#include "attune/layers/attention/pair_of_scores.h"

#include <utility>

#include "attune/autograd/ops/shaping.h"

namespace attune {

PairOfScores::PairOfScores(std::shared_ptr<AttentionScore> first,
                           std::shared_ptr<AttentionScore> second)
    : first_(child("first", std::move(first))), second_(child("second", std::move(second))) {}

Tensor PairOfScores::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  return concat({first_->project_keys(keys), second_->project_keys(keys)}, -1);
}

Tensor PairOfScores::operator()(const Tensor& query, const Tensor& projected_keys,
                                AttentionState& state) const {
  const LayerScope scope(*this);
  const std::int64_t width = projected_keys.size(-1) / 2;
  AttentionState of_second = state;  // only the first score moves along the source
  return stack({(*first_)(query, slice(projected_keys, -1, 0, width), state),
                (*second_)(query, slice(projected_keys, -1, width, 2 * width), of_second)});
}

}  // namespace attune
