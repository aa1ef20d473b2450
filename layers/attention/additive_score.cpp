#include "attune/layers/attention/additive_score.h"

#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/linear.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

void check_features(const char* what, const Tensor& x, std::int64_t expected) {
  ATTUNE_CHECK(x.shape().last() == expected,
               "additive score: {} {} do not fit; the last axis must be {}", what, x.shape(),
               expected);
}

}  // namespace

AdditiveScore::AdditiveScore(const AdditiveScoreOptions& options)
    : query_size_(options.query_size),
      key_size_(options.key_size),
      first_query_column_(options.query_first ? 0 : key_size_),
      first_key_column_(options.query_first ? query_size_ : 0) {
  const std::int64_t inputs = key_size_ + query_size_;
  weight_ = param("weight", {options.hidden, inputs}, uniform_by_inputs(inputs));
  v_ = param("v", {options.hidden}, uniform_by_inputs(options.hidden));
}

Tensor AdditiveScore::project_keys(const Tensor& keys) const {
  const LayerScope scope(*this);
  check_features("keys", keys, key_size_);
  return linear(keys, weight_, {}, first_key_column_);
}

Tensor AdditiveScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                 AttentionState&) const {
  const LayerScope scope(*this);
  check_features("queries", query, query_size_);
  const Tensor projected = linear(query, weight_, {}, first_query_column_);
  return recorded(AttentionStage::score, "e", additive_score(projected, projected_keys, v_));
}

std::shared_ptr<AttentionScore> make_additive_score(const ScoreOptions& options) {
  return std::make_shared<AdditiveScore>(AdditiveScoreOptions{
      .query_size = options.query_size, .key_size = options.key_size, .hidden = options.hidden});
}

std::shared_ptr<AttentionScore> make_concat_score(const ScoreOptions& options) {
  return std::make_shared<AdditiveScore>(AdditiveScoreOptions{.query_size = options.query_size,
                                                              .key_size = options.key_size,
                                                              .hidden = options.hidden,
                                                              .query_first = true});
}

}  // namespace attune
