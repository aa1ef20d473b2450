#include "attune/layers/stacked_outputs.h"

#include "attune/autograd/ops/arithmetic.h"

namespace attune {

StackedOutputs::StackedOutputs(const StackedOutputsOptions& options) : residual_(options.residual) {
  for (int i = 0; options.layer_norm && i < options.layers; ++i)
    norms_.push_back(child(fmt::format("norm{}", i), LayerNorm(options.size)));
}

Tensor StackedOutputs::operator()(std::size_t layer, const Tensor& h, const Tensor& below) const {
  const LayerScope scope(*this);
  const Tensor y = residual_ && below.defined() ? h + below : h;
  return norms_.empty() ? y : norms_[layer](y);
}

}  // namespace attune
