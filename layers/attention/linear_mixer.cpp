#include "attune/layers/attention/linear_mixer.h"

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/linear_attention.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

LinearMixer::LinearMixer(std::int64_t features, std::int64_t heads)
    : heads_(heads),
      query_(child("query", Linear(features, features))),
      key_(child("key", Linear(features, features))),
      value_(child("value", Linear(features, features))),
      out_(child("out", Linear(features, features))) {}

Mixed LinearMixer::operator()(const Tensor& x, const MixerState& state) const {
  const LayerScope scope(*this);
  const std::int64_t steps = x.size(0), batch = x.size(1), size = x.size(2) / heads_;
  const Tensor values = reshape(value_(x), {steps, batch, heads_, size});
  const Tensor ones = Array::full({steps, batch, heads_, 1}, 1, x.dtype());
  const StateResult found =
      linear_attention(elu(query_(x)) + 1, elu(key_(x)) + 1,
                       reshape(concat({values, ones}, -1), {steps, batch, heads_ * (size + 1)}),
                       {.heads = heads_, .log_decay = {}, .state = state.memory});
  const Tensor sums = reshape(found.output, {steps, batch, heads_, size + 1});
  const Tensor means = slice(sums, -1, 0, size) / (slice(sums, -1, size, size + 1) + 1e-6);
  return {out_(reshape(means, x.shape())), {found.state, {}, state.positions + steps}};
}

std::shared_ptr<SequenceMixer> make_linear_mixer(const SequenceMixerOptions& options) {
  return std::make_shared<LinearMixer>(options.features, options.heads);
}

}  // namespace attune
