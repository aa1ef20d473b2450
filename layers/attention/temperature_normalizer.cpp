#include "attune/layers/attention/temperature_normalizer.h"

#include <cmath>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

TemperatureNormalizer::TemperatureNormalizer(const TemperatureNormalizerOptions& options)
    : temperature_(options.temperature) {
  ATTUNE_CHECK(temperature_ > 0, "temperature: it is {}; it must be above 0", temperature_);
  if (options.learned)
    log_temperature_ = param("log_temperature", {options.heads}, constant(std::log(temperature_)));
}

Normalized TemperatureNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                             AttentionState&) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_scores(scores, mask);
  const Tensor sharpness = log_temperature_.defined()
                               ? of_rows(exp(-log_temperature_), scores)
                               : Tensor(Array::full({1}, 1 / temperature_, scores.dtype()));
  return {recorded(AttentionStage::weights, "a", softmax(scores * sharpness, mask)), {}, {}};
}

std::shared_ptr<Normalizer> make_temperature_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<TemperatureNormalizer>(
      TemperatureNormalizerOptions{.temperature = given.number("value", 1, {.above = 0}),
                                   .learned = given.flag("learned", true),
                                   .heads = options.heads});
}

}  // namespace attune
