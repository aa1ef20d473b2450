#include "attune/layers/attention/general_score.h"

#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

GeneralScore::GeneralScore(const GeneralScoreOptions& options) {
  weight_ = param("weight", {options.key_size, options.query_size},
                  uniform_by_inputs(options.query_size));
}

// keys W, computed by linear() because, unlike matmul(), it leaves keys that are hidden from all
// queries out of the weight's gradient, even if they are NaN.
Tensor GeneralScore::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  return linear(keys, transpose(weight_));
}

Tensor GeneralScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                AttentionState&) const {
  const LayerScope scope(*this);
  return recorded(AttentionStage::score, "e", dot_score(query, projected_keys));
}

std::shared_ptr<AttentionScore> make_general_score(const ScoreOptions& options) {
  return std::make_shared<GeneralScore>(
      GeneralScoreOptions{.query_size = options.query_size, .key_size = options.key_size});
}

}  // namespace attune
