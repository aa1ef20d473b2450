#include "attune/layers/attention/hard_normalizer.h"

#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

// A position of each row, drawn with the probabilities p [B, S]; 0 if all of them are 0.
Indices draw(const Array& p) {
  const std::int64_t rows = p.shape()[0], keys = p.shape()[1];
  std::vector<std::int32_t> positions;
  for (std::int64_t row = 0; row < rows; ++row) {
    const double u = generator().uniform();
    double sum = 0;
    std::int32_t position = 0;
    for (std::int64_t s = 0; s < keys; ++s) {
      if (p.at(row * keys + s) == 0) continue;
      position = static_cast<std::int32_t>(s);  // the last one, should rounding leave sum below u
      if ((sum += p.at(row * keys + s)) > u) break;
    }
    positions.push_back(position);
  }
  return Indices(positions, {rows, 1});
}

// 1 at the position of each row, where p is above 0.
Tensor one_hot_at(const Indices& positions, const Array& p) {
  Array chosen = Array::zeros(p.shape(), p.dtype());
  const std::int64_t rows = p.shape()[0], keys = p.shape()[1];
  for (std::int64_t row = 0; row < rows; ++row) {
    const std::int64_t at = row * keys + positions.at(row);
    chosen.set(at, p.at(at) > 0);
  }
  return chosen;
}

}  // namespace

HardNormalizer::HardNormalizer(const HardNormalizerOptions& options) : options_(options) {
  ATTUNE_CHECK(options.expected >= 0 && options.expected <= 1 && options.entropy >= 0,
               "hard: probability {} and entropy factor {}; expected [0, 1] and at least 0",
               options.expected, options.entropy);
}

Normalized HardNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                      AttentionState&) const {
  const LayerScope scope(*this);
  const std::int64_t rows = scores.size(0);
  const Tensor masked = mask_scores(scores, mask);
  if (Eval::active())
    return {recorded(AttentionStage::weights, "a", one_hot(masked)),
            {},
            Array::zeros({rows}, scores.dtype())};
  const Tensor p = softmax(masked), log_p = visible_only(log_softmax(masked), masked);
  const Tensor penalty = options_.entropy * sum(visible_only(p * log_p, masked), 1);
  if (batch_generator().uniform() < options_.expected)
    return {p, penalty, Array::zeros({rows}, scores.dtype())};
  const Indices positions = draw(p.value());
  return {one_hot_at(positions, p.value()), penalty,
          reshape(take_along_axis(log_p, positions, 1), {rows})};
}

std::shared_ptr<Normalizer> make_hard_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<HardNormalizer>(
      HardNormalizerOptions{.expected = given.number("expected", 0.5, {.from = 0, .to = 1}),
                            .entropy = given.number("entropy", 0.01, {.from = 0})});
}

}  // namespace attune
