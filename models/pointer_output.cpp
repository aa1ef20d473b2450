#include "attune/models/pointer_output.h"

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/data/vocabulary.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

PointerOutput::PointerOutput(const OutputLayerOptions& options)
    : options_(options), end_(child("end", Linear(options.combined, 1))) {}

Tensor PointerOutput::operator()(const OutputInput& input, const OutputSource& source) const {
  const LayerScope scope(*this);
  const Tensor end = sigmoid(end_(input.combined));  // [..., B, 1]
  const Tensor copy = copy_distribution(input.weights, source.tokens);
  Array is_end = Array::zeros({copy.size(-1)}, copy.dtype());
  is_end.set(Vocabulary::end, 1);
  const Tensor p = (1.0 - end) * copy + end * Tensor(is_end);
  return recorded(AttentionStage::combine, "logits", log(maximum(p, kLeastProbability)));
}

Tensor PointerOutput::copies(const OutputInput& input) const {
  const LayerScope scope(*this);
  return (1.0 - sigmoid(end_(input.combined))) * input.weights;
}

OutputSource PointerOutput::read(const Encoded& encoded) const {
  const LayerScope scope(*this);
  return {{}, tokens_to_copy("pointer output", encoded, options_)};
}

std::shared_ptr<OutputLayer> make_pointer_output(const OutputLayerOptions& options) {
  return std::make_shared<PointerOutput>(options);
}

}  // namespace attune
