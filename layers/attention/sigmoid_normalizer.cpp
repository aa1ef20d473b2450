#include "attune/layers/attention/sigmoid_normalizer.h"

#include <cmath>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

Normalized SigmoidNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                         AttentionState&) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_scores(scores, mask);
  const Tensor ones(Array::full(scores.shape(), 1, scores.dtype()));
  const Tensor count = sum(visible_only(ones, masked), 1, /*keep=*/true);
  const Tensor weights = sigmoid(masked - log(maximum(count, 1.0)));
  return {recorded(AttentionStage::weights, "a", visible_only(weights, masked)), {}, {}};
}

std::shared_ptr<Normalizer> make_sigmoid_normalizer(const NormalizerOptions&) {
  return std::make_shared<SigmoidNormalizer>();
}

}  // namespace attune
