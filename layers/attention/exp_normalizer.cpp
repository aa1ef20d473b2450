#include "attune/layers/attention/exp_normalizer.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

Normalized ExpNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                     AttentionState&) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_scores(scores, mask);
  return {recorded(AttentionStage::weights, "a", visible_only(exp(masked), masked)), {}, {}};
}

std::shared_ptr<Normalizer> make_exp_normalizer(const NormalizerOptions&) {
  return std::make_shared<ExpNormalizer>();
}

}  // namespace attune
