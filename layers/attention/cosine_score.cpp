#include "attune/layers/attention/cosine_score.h"

#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

CosineScore::CosineScore(const CosineScoreOptions& options) {
  ATTUNE_CHECK(options.query_size == options.key_size,
               "cosine score: queries have {} features but keys {}; a cosine needs equal sizes, "
               "the general score does not",
               options.query_size, options.key_size);
  ATTUNE_CHECK(options.sharpness > 0, "cosine score: a sharpness of {}; expected above 0",
               options.sharpness);
  log_sharpness_ = param("log_sharpness", {1}, constant(std::log(options.sharpness)));
}

Tensor CosineScore::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  return l2_normalize(keys);
}

Tensor CosineScore::project_query(const Tensor& query) const {
  const LayerScope scope(*this);
  return l2_normalize(query) * exp(log_sharpness_);
}

Tensor CosineScore::operator()(const Tensor& query, const Tensor& projected_keys,
                               AttentionState&) const {
  const LayerScope scope(*this);
  return recorded(AttentionStage::score, "e", dot_score(project_query(query), projected_keys));
}

std::shared_ptr<AttentionScore> make_cosine_score(const ScoreOptions& options) {
  return std::make_shared<CosineScore>(
      CosineScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

}  // namespace attune
