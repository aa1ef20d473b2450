#include "attune/layers/attention/chunkwise_normalizer.h"

#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/monotonic.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

ChunkwiseNormalizer::ChunkwiseNormalizer(const ChunkwiseNormalizerOptions& options)
    : MonotonicNormalizer(options.monotonic), width_(options.width) {
  ATTUNE_CHECK(width_ >= 1, "chunkwise: chunks of {} positions; expected at least 1", width_);
}

Normalized ChunkwiseNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                           AttentionState& state) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(scores.rank() == 3 && scores.size(0) == 2,
               "chunkwise: scores {}; expected two of each key, [2, B, S]", scores.shape());
  const Tensor alignment = align(mask_scores(scores[0], mask), state);
  const Tensor of_chunk = mask_scores(scores[1], mask);
  const Tensor weights = chunkwise_weights(alignment, of_chunk, width_);
  return {recorded(AttentionStage::weights, "a", visible_only(weights, of_chunk)), {}, {}};
}

std::shared_ptr<Normalizer> make_chunkwise_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<ChunkwiseNormalizer>(
      ChunkwiseNormalizerOptions{.width = given.whole("width", 4),
                                 .monotonic = {.noise = given.number("noise", 1, {.from = 0}),
                                               .offset = given.number("offset", -1, {})}});
}

}  // namespace attune
