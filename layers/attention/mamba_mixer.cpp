#include "attune/layers/attention/mamba_mixer.h"

#include <cmath>
#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/selective_scan.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// log 1 ... log N in each column of x [N, E].
void log_of_numbers(Array& x) {
  for (std::int64_t i = 0; i < x.elements(); ++i)
    x.set(i, std::log(static_cast<double>(i / x.shape()[1] + 1)));
}

}  // namespace

MambaMixer::MambaMixer(const MambaMixerOptions& options)
    : channels_(options.expand * options.features),
      rank_((options.features + 15) / 16),
      states_(options.state),
      input_(child("input", Linear(options.features, 2 * channels_, /*bias=*/false))),
      select_(child("select", Linear(channels_, rank_ + 2 * states_, /*bias=*/false))),
      step_(child("step", Linear(rank_, channels_))),
      out_(child("out", Linear(channels_, options.features, /*bias=*/false))),
      convolution_(child("convolution", ShortConvolution(channels_, options.width, /*bias=*/true))),
      log_rate_(param("log_rate", {states_, channels_}, log_of_numbers)),
      skip_(param("skip", {channels_}, ones())) {
  Array bias = step_.bias().value();
  softplus_log_uniform(0.001, 0.1)(bias);
}

Mixed MambaMixer::operator()(const Tensor& x, const MixerState& state) const {
  const LayerScope scope(*this);
  MixerState next{{}, state.recent, state.positions + x.size(0)};
  const std::vector<Tensor> halves = split(input_(x), {channels_, channels_}, -1);
  const Tensor u = convolution_(halves[0], next.recent);
  const std::vector<Tensor> selected = split(select_(u), {rank_, states_, states_}, -1);
  const StateResult found = selective_scan(u, softplus(step_(selected[0])), -exp(log_rate_),
                                           selected[1], selected[2], state.memory);
  next.memory = found.state;
  return {out_((found.output + skip_ * u) * silu(halves[1])), next};
}

std::shared_ptr<SequenceMixer> make_mamba_mixer(const SequenceMixerOptions& options) {
  return std::make_shared<MambaMixer>(
      MambaMixerOptions{.features = options.features,
                        .state = options.arguments.whole("state", 16),
                        .expand = options.arguments.whole("expand", 2),
                        .width = options.arguments.whole("width", 4)});
}

}  // namespace attune
