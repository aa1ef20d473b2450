#include "attune/layers/attention/entmax_normalizer.h"

#include <cmath>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/entmax.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

EntmaxNormalizer::EntmaxNormalizer(const EntmaxNormalizerOptions& options) : alpha_(options.alpha) {
  ATTUNE_CHECK(alpha_ > 1, "entmax: alpha is {}; it must be above 1, where entmax becomes softmax",
               alpha_);
  if (!options.learned) return;
  ATTUNE_CHECK(alpha_ < 2, "entmax: a learned alpha stays between 1 and 2, but starts at {}",
               alpha_);
  logit_ = param("logit", {options.heads}, constant(std::log((alpha_ - 1) / (2 - alpha_))));
}

Normalized EntmaxNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                        AttentionState&) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_scores(scores, mask);
  if (!logit_.defined())
    return {recorded(AttentionStage::weights, "a", entmax(masked, alpha_)), {}, {}};
  const Tensor alpha = of_rows(1 + sigmoid(logit_), scores);
  return {recorded(AttentionStage::weights, "a", entmax(masked, alpha)), {}, {}};
}

std::shared_ptr<Normalizer> make_entmax_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<EntmaxNormalizer>(
      EntmaxNormalizerOptions{.alpha = given.number("alpha", 1.5, {.above = 1}),
                              .learned = given.flag("learned", false),
                              .heads = options.heads});
}

std::shared_ptr<Normalizer> make_sparsemax_normalizer(const NormalizerOptions&) {
  return std::make_shared<EntmaxNormalizer>(EntmaxNormalizerOptions{.alpha = 2});
}

}  // namespace attune
