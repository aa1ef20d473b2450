#include "attune/layers/attention/sink_normalizer.h"

#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

SinkNormalizer::SinkNormalizer(const SinkNormalizerOptions& options) {
  if (options.learned) sink_ = param("sink", {options.heads}, zeros());
}

Normalized SinkNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                      AttentionState&) const {
  const LayerScope scope(*this);
  const std::int64_t rows = scores.size(0), keys = scores.size(1);
  const Tensor sink =
      sink_.defined() ? of_rows(sink_, scores) : Tensor(Array::zeros({rows, 1}, scores.dtype()));
  // The sink is first, so that padding behind the keys does not change the order of the sum.
  const Tensor weights = softmax(concat({sink, mask_scores(scores, mask)}, 1));
  return {recorded(AttentionStage::weights, "a", slice(weights, 1, 1, keys + 1)), {}, {}};
}

std::shared_ptr<Normalizer> make_softmax_one_normalizer(const NormalizerOptions&) {
  return std::make_shared<SinkNormalizer>();
}

std::shared_ptr<Normalizer> make_sink_normalizer(const NormalizerOptions& options) {
  return std::make_shared<SinkNormalizer>(
      SinkNormalizerOptions{.learned = true, .heads = options.heads});
}

}  // namespace attune
