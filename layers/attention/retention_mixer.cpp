#include "attune/layers/attention/retention_mixer.h"

#include <cmath>
#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/linear_attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/positions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// log a_h for all positions: [T, B, H].
Tensor log_decay(const Shape& shape, DType dtype) {
  Array of_heads(Shape{shape.last()}, dtype);
  for (std::int64_t h = 0; h < shape.last(); ++h)
    of_heads.set(h, std::log1p(-std::exp2(static_cast<double>(-5 - h))));
  return broadcast_to(of_heads, shape);
}

// Without gain and bias, over the last axis.
Tensor standardized(const Tensor& x) {
  const Shape size{x.shape().last()};
  return layer_norm(x, Array::full(size, 1, x.dtype()), Array::zeros(size, x.dtype()));
}

}  // namespace

RetentionMixer::RetentionMixer(std::int64_t features, std::int64_t heads)
    : heads_(heads),
      query_(child("query", Linear(features, features, /*bias=*/false))),
      key_(child("key", Linear(features, features, /*bias=*/false))),
      value_(child("value", Linear(features, features, /*bias=*/false))),
      gate_(child("gate", Linear(features, features, /*bias=*/false))),
      out_(child("out", Linear(features, features, /*bias=*/false))) {}

Mixed RetentionMixer::operator()(const Tensor& x, const MixerState& state) const {
  const LayerScope scope(*this);
  const std::int64_t steps = x.size(0), batch = x.size(1), size = x.size(2) / heads_;
  const RotaryOptions place{.heads = heads_, .first = state.positions};
  const Tensor query = rotary(query_(x), place);
  const Tensor key = rotary(key_(x), place) / std::sqrt(static_cast<double>(size));
  const StateResult found =
      linear_attention(query, key, value_(x),
                       {.heads = heads_,
                        .log_decay = log_decay({steps, batch, heads_}, x.dtype()),
                        .state = state.memory});
  const Tensor normalized = standardized(reshape(found.output, {steps, batch, heads_, size}));
  return {out_(silu(gate_(x)) * reshape(normalized, x.shape())),
          {found.state, {}, state.positions + steps}};
}

std::shared_ptr<SequenceMixer> make_retention_mixer(const SequenceMixerOptions& options) {
  return std::make_shared<RetentionMixer>(options.features, options.heads);
}

}  // namespace attune
