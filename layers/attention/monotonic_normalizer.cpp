#include "attune/layers/attention/monotonic_normalizer.h"

#include <algorithm>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/monotonic.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/attention/attention_recorder.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

// The hard alignment from p and that of the step before. `position` becomes the alignment of the
// newest step that stopped.
Array hard_alignment(const Array& p, Array& position) {
  const std::int64_t rows = p.shape()[0], keys = p.shape()[1];
  Array found = Array::zeros(p.shape(), p.dtype());
  dispatch(p.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* stops = p.data<T>();
    T *at = position.mutable_data<T>(), *to = found.mutable_data<T>();
    for (std::int64_t row = 0; row < rows; ++row, stops += keys, at += keys, to += keys) {
      const std::int64_t start = std::max_element(at, at + keys) - at;
      for (std::int64_t s = start; s < keys; ++s)
        if (stops[s] > T(0.5)) {
          at[start] = 0;
          at[s] = to[s] = 1;
          break;
        }
    }
  });
  return found;
}

}  // namespace

MonotonicNormalizer::MonotonicNormalizer(const MonotonicNormalizerOptions& options)
    : noise_(options.noise) {
  ATTUNE_CHECK(noise_ >= 0, "monotonic: noise {}; it must be at least 0", noise_);
  gain_ = param("gain", {1}, ones());
  offset_ = param("offset", {1}, constant(options.offset));
}

Tensor MonotonicNormalizer::align(const Tensor& masked, AttentionState& state) const {
  const std::int64_t rows = masked.size(0), keys = masked.size(1);
  if (!state.position.defined()) {  // before the first position
    Array first = Array::zeros({rows, keys}, masked.dtype());
    for (std::int64_t row = 0; row < rows; ++row) first.set(row * keys, 1);
    state.position = first;
  }
  Tensor energy = gain_ * visible_only(masked, masked) + offset_;
  if (!Eval::active() && noise_ > 0) {
    Array noise(masked.shape(), masked.dtype());
    generator().normal(noise, 0, noise_);
    energy = energy + Tensor(noise);
  }
  const Tensor p = visible_only(sigmoid(energy), masked);
  record_quantity("stopping probability", recorded(AttentionStage::weights, "p", p));
  if (!Eval::active())
    return state.position = visible_only(monotonic_alignment(p, state.position), masked);
  Array position = state.position.value().clone();
  const Tensor found = hard_alignment(p.value(), position);
  state.position = position;
  return found;
}

Normalized MonotonicNormalizer::operator()(const Tensor& scores, const Mask& mask,
                                           AttentionState& state) const {
  const LayerScope scope(*this);
  return {recorded(AttentionStage::weights, "a", align(mask_scores(scores, mask), state)), {}, {}};
}

std::shared_ptr<Normalizer> make_monotonic_normalizer(const NormalizerOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<MonotonicNormalizer>(MonotonicNormalizerOptions{
      .noise = given.number("noise", 1, {.from = 0}), .offset = given.number("offset", -1, {})});
}

}  // namespace attune
