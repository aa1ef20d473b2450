#include "attune/models/linear_output.h"

#include "attune/autograd/ops/linear.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

LinearOutput::LinearOutput(const OutputLayerOptions& options)
    : weight_(param("weight", {options.vocabulary, options.combined},
                    uniform_by_inputs(options.combined))),
      bias_(param("bias", {options.vocabulary}, uniform_by_inputs(options.combined))) {}

Tensor LinearOutput::operator()(const OutputInput& input, const OutputSource&) const {
  const LayerScope scope(*this);
  return recorded(AttentionStage::combine, "logits", linear(input.combined, weight_, bias_));
}

std::shared_ptr<OutputLayer> make_linear_output(const OutputLayerOptions& options) {
  return std::make_shared<LinearOutput>(options);
}

}  // namespace attune
