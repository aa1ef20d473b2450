#include "attune/layers/attention/gated_delta_mixer.h"

#include <cmath>
#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/linear_attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// Logarithms of numbers that are uniform in [low, high).
Initializer log_of_uniform(double low, double high) {
  return [=](Array& x) {
    uniform(low, high)(x);
    x.assign(log(Tensor(x)).value());
  };
}

}  // namespace

GatedDeltaMixer::GatedDeltaMixer(std::int64_t features, std::int64_t heads, std::int64_t width)
    : heads_(heads),
      input_(child("input", Linear(features, 3 * features, /*bias=*/false))),
      beta_(child("beta", Linear(features, heads, /*bias=*/false))),
      decay_(child("decay", Linear(features, heads, /*bias=*/false))),
      gate_(child("gate", Linear(features, features, /*bias=*/false))),
      out_(child("out", Linear(features, features, /*bias=*/false))),
      convolution_(child("convolution", ShortConvolution(3 * features, width, /*bias=*/false))),
      log_rate_(param("log_rate", {heads}, log_of_uniform(1, 16))),
      decay_bias_(param("decay_bias", {heads}, softplus_log_uniform(0.001, 0.1))),
      norm_(param("norm", {features / heads}, ones())) {}

Mixed GatedDeltaMixer::operator()(const Tensor& x, const MixerState& state) const {
  const LayerScope scope(*this);
  const std::int64_t steps = x.size(0), batch = x.size(1), features = x.size(2);
  const Shape by_head{steps, batch, heads_, features / heads_};
  MixerState next{{}, state.recent, state.positions + steps};
  const std::vector<Tensor> parts =
      split(convolution_(input_(x), next.recent), {features, features, features}, -1);
  const auto unit = [&](const Tensor& y) {
    return reshape(l2_normalize(reshape(y, by_head)), x.shape());
  };
  const Tensor log_decay = -exp(log_rate_) * softplus(decay_(x) + decay_bias_);
  const StateResult found =
      delta_rule(unit(parts[0]), unit(parts[1]), parts[2], sigmoid(beta_(x)),
                 {.heads = heads_, .log_decay = log_decay, .state = state.memory});
  next.memory = found.state;
  const Tensor normalized = reshape(rms_norm(reshape(found.output, by_head), norm_), x.shape());
  return {out_(normalized * silu(gate_(x))), next};
}

std::shared_ptr<SequenceMixer> make_gated_delta_mixer(const SequenceMixerOptions& options) {
  return std::make_shared<GatedDeltaMixer>(options.features, options.heads,
                                           options.arguments.whole("width", 4));
}

}  // namespace attune
