#include "attune/layers/attention/predictive_locality.h"

#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/attention_recorder.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

std::int64_t hidden_units(const PredictiveLocalityOptions& options) {
  return options.hidden == 0 ? options.query_size : options.hidden;
}

}  // namespace

PredictiveLocality::PredictiveLocality(const PredictiveLocalityOptions& options)
    : window_(options.window),
      position_(
          child("position", Linear(options.query_size, hidden_units(options), /*bias=*/false))),
      v_(child("v", Linear(hidden_units(options), 1, /*bias=*/false))) {
  ATTUNE_CHECK(window_ >= 1, "local_p: a window of {} keys to each side; expected at least 1",
               window_);
}

Neighbourhood PredictiveLocality::operator()(const Tensor& query, const Indices& lengths,
                                             std::int64_t keys, const AttentionState&) const {
  const LayerScope scope(*this);
  const std::int64_t rows = query.size(0);
  Array length({rows, 1}, query.dtype()), at({1, keys}, query.dtype());
  for (std::int64_t row = 0; row < rows; ++row)
    length.set(row, static_cast<double>(lengths.defined() ? lengths.at(row) : keys));
  for (std::int64_t s = 0; s < keys; ++s) at.set(s, static_cast<double>(s));
  const Tensor p = Tensor(length) * sigmoid(v_(tanh(position_(query))));  // [B, 1]
  const Tensor distance = Tensor(at) - p;                                 // [B, S]
  recorded(AttentionStage::weights, "p", p);
  if (AttentionRecorder::current()) record_quantity("position", reshape(p, {rows}));
  const auto window = static_cast<double>(window_);
  const Array near = (abs(distance.detach()) <= window).value();
  const double sigma = window / 2;
  return {.mask = Mask::of(near.reshape({rows, 1, 1, keys})),
          .factor = recorded(AttentionStage::weights, "g",
                             exp(square(distance) * (-0.5 / (sigma * sigma))))};
}

std::shared_ptr<Locality> make_predictive_locality(const LocalityOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<PredictiveLocality>(
      PredictiveLocalityOptions{.query_size = options.query_size,
                                .hidden = given.whole("hidden", options.query_size),
                                .window = given.whole("window", 10)});
}

}  // namespace attune
