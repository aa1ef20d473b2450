#include "attune/layers/attention/dot_score.h"

#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

DotScore::DotScore(const DotScoreOptions& options)
    : scale_(options.scaled ? 1 / std::sqrt(static_cast<double>(options.key_size)) : 1) {
  ATTUNE_CHECK(options.query_size == options.key_size,
               "dot score: queries have {} features but keys {}; a dot product needs equal sizes, "
               "the general score does not",
               options.query_size, options.key_size);
}

Tensor DotScore::operator()(const Tensor& query, const Tensor& keys, AttentionState&) const {
  const LayerScope scope(*this);
  const Tensor scaled = scale_ == 1 ? query : query * scale_;
  return recorded(AttentionStage::score, "e", dot_score(scaled, keys));
}

std::shared_ptr<AttentionScore> make_dot_score(const ScoreOptions& options) {
  return std::make_shared<DotScore>(
      DotScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

std::shared_ptr<AttentionScore> make_scaled_dot_score(const ScoreOptions& options) {
  return std::make_shared<DotScore>(DotScoreOptions{
      .query_size = options.query_size, .key_size = options.key_size, .scaled = true});
}

}  // namespace attune
