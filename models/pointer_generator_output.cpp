#include "attune/models/pointer_generator_output.h"

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/copy_mixture.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

PointerGeneratorOutput::PointerGeneratorOutput(const OutputLayerOptions& options)
    : options_(options),
      generate_(child("generate", Linear(options.combined + options.embedding, 1))),
      vocabulary_(child("vocabulary", Linear(options.combined, options.vocabulary))) {}

Tensor PointerGeneratorOutput::operator()(const OutputInput& input,
                                          const OutputSource& source) const {
  const LayerScope scope(*this);
  const Tensor generate = this->generate(input);
  return recorded(
      AttentionStage::combine, "logits",
      log_copy_mixture(vocabulary_(input.combined), generate, (1.0 - generate) * input.weights,
                       source.tokens.ids, source.tokens.size(), kLeastProbability));
}

Tensor PointerGeneratorOutput::generate(const OutputInput& input) const {
  return sigmoid(generate_(concat({input.combined, input.previous}, -1)));
}

Tensor PointerGeneratorOutput::copies(const OutputInput& input) const {
  const LayerScope scope(*this);
  return (1.0 - generate(input)) * input.weights;
}

OutputSource PointerGeneratorOutput::read(const Encoded& encoded) const {
  const LayerScope scope(*this);
  return {{}, tokens_to_copy("pointer_generator output", encoded, options_)};
}

std::shared_ptr<OutputLayer> make_pointer_generator_output(const OutputLayerOptions& options) {
  return std::make_shared<PointerGeneratorOutput>(options);
}

}  // namespace attune
