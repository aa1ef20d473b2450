#include "attune/layers/attention/gumbel_normalizer.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

Array gumbel_noise(const Shape& shape, DType dtype) {
  Array noise(shape, dtype);
  generator().uniform(noise, 0, 1);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    T* to = noise.mutable_data<T>();
    for (std::int64_t i = 0; i < noise.elements(); ++i) {
      const double u = std::max(static_cast<double>(to[i]), 1e-20);
      to[i] = static_cast<T>(-std::log(-std::log(std::min(u, 1 - 1e-16))));
    }
  });
  return noise;
}

}  // namespace

GumbelNormalizer::GumbelNormalizer(const GumbelNormalizerOptions& options) : options_(options) {
  ATTUNE_CHECK(options.temperature > 0, "gumbel: the temperature is {}; it must be above 0",
               options.temperature);
}

Normalized GumbelNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                        AttentionState&) const {
  const LayerScope scope(*this);
  Tensor noisy = mask_scores(scores, mask);
  if (!Eval::active()) noisy = noisy + Tensor(gumbel_noise(scores.shape(), scores.dtype()));
  const Tensor soft = softmax(noisy / options_.temperature, Mask());
  if (!options_.hard) return {recorded(AttentionStage::weights, "a", soft), {}, {}};
  // soft + (hard - soft), the second part as a constant.
  const Tensor hard = one_hot(noisy);
  return {recorded(AttentionStage::weights, "a", soft + (hard - soft).detach()), {}, {}};
}

std::shared_ptr<Normalizer> make_gumbel_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<GumbelNormalizer>(
      GumbelNormalizerOptions{.temperature = given.number("temperature", 1, {.above = 0}),
                              .hard = given.flag("hard", false)});
}

}  // namespace attune
