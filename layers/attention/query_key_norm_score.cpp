#include "attune/layers/attention/query_key_norm_score.h"

#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

QueryKeyNormScore::QueryKeyNormScore(const QueryKeyNormScoreOptions& options) {
  ATTUNE_CHECK(options.query_size == options.key_size,
               "query_key_norm score: queries have {} features but keys {}; they must be equal, "
               "which the general score does not need",
               options.query_size, options.key_size);
  ATTUNE_CHECK(options.length > 1, "query_key_norm score: a length of {}; expected above 1",
               options.length);
  gain_ = param("gain", {1}, constant(std::log2(options.length * (options.length - 1))));
}

Tensor QueryKeyNormScore::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  return l2_normalize(keys);
}

Tensor QueryKeyNormScore::project_query(const Tensor& query) const {
  const LayerScope scope(*this);
  return l2_normalize(query) * gain_;
}

Tensor QueryKeyNormScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                     AttentionState&) const {
  const LayerScope scope(*this);
  return recorded(AttentionStage::score, "e", dot_score(project_query(query), projected_keys));
}

std::shared_ptr<AttentionScore> make_query_key_norm_score(const ScoreOptions& options) {
  return std::make_shared<QueryKeyNormScore>(
      QueryKeyNormScoreOptions{.query_size = options.query_size,
                               .key_size = options.key_size,
                               .length = options.arguments.number("length", 20, {.above = 1})});
}

}  // namespace attune
