#include "attune/layers/attention/differential_heads.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"
#include "attune/layers/attention/stored_scores.h"

namespace attune {
namespace {

// a - factor b, for the two halves a, b of an axis of size 2, which is removed.
Tensor difference(const Tensor& x, int axis, const Tensor& factor) {
  const Shape shape = x.shape().without(axis);
  return reshape(slice(x, axis, 0, 1), shape) - factor * reshape(slice(x, axis, 1, 2), shape);
}

// The same as the fused kernel, which does not store scores.
SequenceAttention recorded_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                     const DotProductOptions& options) {
  const Tensor scores =
      recorded(AttentionStage::score, "e", dot_product_scores(query, key, options));
  const Tensor halves = recorded(AttentionStage::weights, "halves", softmax(scores, options.mask));
  return {sum_of_values(halves, value, options), halves};
}

}  // namespace

DifferentialHeads::DifferentialHeads(std::int64_t features, std::int64_t heads, std::int64_t layer)
    : lambda_0_(0.8 - 0.6 * std::exp(-0.3 * static_cast<double>(layer))) {
  ATTUNE_CHECK(heads >= 1 && features % (2 * heads) == 0,
               "differential attention: {} features cannot be divided among {} heads with two "
               "halves each; use a multiple of {}",
               features, heads, 2 * heads);
  const std::int64_t size = features / (2 * heads);
  lambda_q1_ = param("lambda_q1", {size}, normal(0, 0.1));
  lambda_k1_ = param("lambda_k1", {size}, normal(0, 0.1));
  lambda_q2_ = param("lambda_q2", {size}, normal(0, 0.1));
  lambda_k2_ = param("lambda_k2", {size}, normal(0, 0.1));
  norm_ = param("norm", {2 * size}, ones());
}

Tensor DifferentialHeads::lambda() const {
  return exp(sum(lambda_q1_ * lambda_k1_)) - exp(sum(lambda_q2_ * lambda_k2_)) + lambda_0_;
}

SequenceAttention DifferentialHeads::operator()(const Tensor& query, const Tensor& key,
                                                const Tensor& value,
                                                const DotProductOptions& options,
                                                bool weights) const {
  const LayerScope scope(*this);
  const std::int64_t queries = query.size(0), batch = query.size(1), heads = options.heads / 2;
  DotProductOptions how = options;
  how.value_heads = (options.key_heads == 0 ? options.heads : options.key_heads) / 2;
  SequenceAttention found;
  if (StageRecorder::current())
    found = recorded_attention(query, key, value, how);
  else if (weights)
    found = scaled_dot_product_attention_with_weights(query, key, value, how);
  else
    found.context = scaled_dot_product_attention(query, key, value, how);
  const Tensor factor = lambda();
  const Tensor pairs = reshape(found.context, {queries, batch, heads, 2, -1});
  const Tensor context = rms_norm(difference(pairs, 3, factor), norm_) * (1 - lambda_0_);
  if (weights)
    found.weights =
        difference(reshape(found.weights, {batch, heads, 2, queries, key.size(0)}), 2, factor);
  return {reshape(context, {queries, batch, heads * norm_.size(0)}), found.weights};
}

std::shared_ptr<HeadMixer> make_differential_heads(const HeadMixerOptions& options) {
  return std::make_shared<DifferentialHeads>(options.features, options.heads, options.layer);
}

}  // namespace attune
