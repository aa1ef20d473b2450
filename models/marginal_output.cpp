#include "attune/models/marginal_output.h"

#include <cmath>
#include <limits>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/indexing.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

MarginalOutput::MarginalOutput(const OutputLayerOptions& options)
    : state_(child("state", Linear(options.state, options.vocabulary))),
      source_(child("source", Linear(options.source_size, options.vocabulary, /*bias=*/false))) {}

Tensor MarginalOutput::operator()(const OutputInput& input, const OutputSource& source) const {
  const LayerScope scope(*this);
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  // log p(y | i) [..., B, S, V], and log a_i [..., B, S, 1].
  const Tensor log_p = log_softmax(unsqueeze(state_(input.state), -2) + source.logits, -1);
  const Tensor weights = unsqueeze(input.weights, -1);
  const Tensor possible = not_equal(weights.detach(), 0.0);
  const Tensor both = where(possible, log_p + log(where(possible, weights, 1.0)), kNever);
  const Tensor sums = logsumexp(both, -2);
  return recorded(AttentionStage::combine, "logits", maximum(sums, std::log(kLeastProbability)));
}

OutputSource MarginalOutput::read(const Encoded& encoded) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(encoded.states.defined(), "marginal output: the encoder returns no states");
  return {transpose(source_(mask_padding(encoded.states, encoded.lengths)), 0, 1), {}};
}

std::shared_ptr<OutputLayer> make_marginal_output(const OutputLayerOptions& options) {
  return std::make_shared<MarginalOutput>(options);
}

}  // namespace attune
