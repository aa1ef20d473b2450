#include "attune/layers/attention/top_k_normalizer.h"

#include <algorithm>

#include "attune/autograd/ops/sorting.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

TopKNormalizer::TopKNormalizer(std::int64_t k) : k_(k) {
  ATTUNE_CHECK(k >= 1, "top_k: k is {}; it must be at least 1", k);
}

Normalized TopKNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                      AttentionState&) const {
  const LayerScope scope(*this);
  const std::int64_t rows = scores.size(0), keys = scores.size(1), k = std::min(k_, keys);
  const Tensor masked = mask_scores(scores, mask);
  const Indices best = topk(masked.detach(), k).indices;  // [rows, k]
  Array chosen = Array::zeros({rows, keys}, DType::boolean);
  bool* const is_chosen = chosen.mutable_data<bool>();
  for (std::int64_t i = 0; i < rows * k; ++i) is_chosen[i / k * keys + best.at(i)] = true;
  const Mask of_best = Mask::of(chosen.reshape({rows, 1, 1, keys}));
  return {recorded(AttentionStage::weights, "a", softmax(masked, of_best)), {}, {}};
}

std::shared_ptr<Normalizer> make_top_k_normalizer(const NormalizerOptions& options) {
  return std::make_shared<TopKNormalizer>(options.arguments.whole("k", 4));
}

}  // namespace attune
