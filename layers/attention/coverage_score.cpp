#include "attune/layers/attention/coverage_score.h"

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

Tensor coverage_loss(const Tensor& weights, const Tensor& coverage) {
  if (!coverage.defined()) return Array::zeros({weights.size(0)}, weights.dtype());
  // Hidden keys have neither weight nor coverage, and their gradient goes no further.
  const Tensor overlap = where(not_equal(weights.detach(), 0.0), minimum(weights, coverage), 0.0);
  return sum(overlap, 1);
}

CoverageScore::CoverageScore(const CoverageScoreOptions& options)
    : loss_(options.loss),
      most_(options.fertility),
      query_(child("query", Linear(options.query_size, options.hidden, /*bias=*/false))),
      key_(child("key", Linear(options.key_size, options.hidden))),
      coverage_(child("coverage", Linear(1, options.hidden, /*bias=*/false))) {
  ATTUNE_CHECK(loss_ >= 0 && most_ >= 0,
               "coverage score: loss {} and fertility {}; neither may be negative", loss_, most_);
  if (most_ > 0) fertility_ = child("fertility", Linear(options.key_size, 1, /*bias=*/false));
  v_ = param("v", {options.hidden}, uniform_by_inputs(options.hidden));
}

Tensor CoverageScore::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  if (!fertility_) return key_(keys);
  return concat({key_(keys), 1 / (most_ * sigmoid((*fertility_)(keys)))}, -1);
}

Tensor CoverageScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                 AttentionState& state) const {
  const LayerScope scope(*this);
  const std::int64_t hidden = v_.size(0);
  Tensor keys = fertility_ ? slice(projected_keys, -1, 0, hidden) : projected_keys;
  if (state.coverage.defined()) {
    const Tensor sums = transpose(state.coverage);  // [S, B]
    Tensor covered = reshape(sums, sums.shape().with(2, 1));
    if (fertility_) covered = covered * slice(projected_keys, -1, hidden, hidden + 1);
    keys = keys + coverage_(covered);
  }
  return recorded(AttentionStage::score, "e", additive_score(query_(query), keys, v_));
}

Tensor CoverageScore::penalty(const Tensor& weights, const AttentionState& before) const {
  const LayerScope scope(*this);
  if (loss_ == 0) return {};
  return loss_ * coverage_loss(weights, before.coverage);
}

std::shared_ptr<AttentionScore> make_coverage_score(const ScoreOptions& options) {
  const Arguments& given = options.arguments;
  const double fertility = given.number("fertility", 0, {.from = 0});
  return std::make_shared<CoverageScore>(
      CoverageScoreOptions{.query_size = options.query_size,
                           .key_size = options.key_size,
                           .hidden = given.whole("hidden", options.hidden),
                           .loss = given.number("loss", fertility > 0 ? 0 : 1, {.from = 0}),
                           .fertility = fertility});
}

}  // namespace attune
