#include "attune/layers/attention/location_score.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/convolution.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

LocationScore::LocationScore(const LocationScoreOptions& options)
    : query_(child("query", Linear(options.query_size, options.hidden, /*bias=*/false))),
      key_(child("key", Linear(options.key_size, options.hidden))),
      location_(child("location", Linear(options.filters, options.hidden, /*bias=*/false))) {
  ATTUNE_CHECK(options.width % 2 == 1 && options.width >= 1,
               "location score: filters of width {}; expected an odd number, so that they have a "
               "middle",
               options.width);
  filters_ =
      param("filters", {options.filters, 1, options.width}, uniform_by_inputs(options.width));
  v_ = param("v", {options.hidden}, uniform_by_inputs(options.hidden));
}

Tensor LocationScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                 AttentionState& state) const {
  const LayerScope scope(*this);
  Tensor keys = projected_keys;
  if (state.weights.defined()) {
    const Tensor previous = transpose(state.weights);  // [S, B]
    const std::int64_t half = filters_.size(2) / 2;
    const Tensor features = conv1d(reshape(previous, previous.shape().with(2, 1)), filters_, {},
                                   {.left = half, .right = half});
    keys = keys + location_(features);
  }
  return recorded(AttentionStage::score, "e", additive_score(query_(query), keys, v_));
}

std::shared_ptr<AttentionScore> make_location_score(const ScoreOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<LocationScore>(
      LocationScoreOptions{.query_size = options.query_size,
                           .key_size = options.key_size,
                           .hidden = given.whole("hidden", options.hidden),
                           .filters = given.whole("filters", 10),
                           .width = given.whole("width", 31)});
}

}  // namespace attune
