#include "attune/layers/attention/gaussian_mixture_score.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

GaussianMixtureScore::GaussianMixtureScore(const GaussianMixtureScoreOptions& options)
    : components_(options.components),
      window_(child("window", Linear(options.query_size, 3 * options.components))) {}

Tensor GaussianMixtureScore::operator()(const Tensor& query, const Tensor& keys,
                                        AttentionState& state) const {
  const LayerScope scope(*this);
  const std::int64_t batch = query.size(0), sources = keys.size(0), k = components_;
  const Tensor window = window_(query);  // [B, 3 K]
  const auto part = [&](std::int64_t i) { return slice(window, 1, i * k, (i + 1) * k); };
  const Tensor log_alpha = part(0), beta = exp(part(1)), delta = exp(part(2));
  if (!state.position.defined()) state.position = Array::full({batch, k}, -1, query.dtype());
  state.position = state.position + delta;
  Array positions({sources, 1, 1}, query.dtype());
  for (std::int64_t s = 0; s < sources; ++s) positions.set(s, static_cast<double>(s));
  const Tensor distance = state.position - Tensor(positions);               // [S, B, K]
  const Tensor scores = logsumexp(log_alpha - beta * square(distance), 2);  // [S, B]
  return recorded(AttentionStage::score, "e", transpose(scores));
}

std::shared_ptr<AttentionScore> make_gaussian_mixture_score(const ScoreOptions& options) {
  return std::make_shared<GaussianMixtureScore>(GaussianMixtureScoreOptions{
      .query_size = options.query_size, .components = options.arguments.whole("components", 5)});
}

}  // namespace attune
