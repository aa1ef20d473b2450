#pragma once

#include "attune/layers/linear.h"
#include "attune/models/output_layer.h"

namespace attune {

/// Hard attention to one position, whose choice is summed over exactly (Deng et al. 2018, sec. 2):
///
///     p(y) = sum_i a_i softmax(W s_t + U h_i + b)_y
///
/// where the weights a_i of attention are the probability that position i is the one attended to,
/// and h_i is its state. Unlike soft attention, which mixes the states and predicts once, it
/// predicts from each state and mixes the predictions; unlike sampling (see HardNormalizer), its
/// gradient is exact. It computes S distributions for each step, so it is for small vocabularies.
/// The decoder's state s_t should not depend on the context (query "current").
/// logits = log p, with p at least kLeastProbability.
///
/// Parameters: state.weight [V, H] (W), state.bias (b), source.weight [V, D] (U).
/// Errors: a size below 1; an encoder without states.
class MarginalOutput : public OutputLayer {
 public:
  explicit MarginalOutput(const OutputLayerOptions& options);
  Tensor operator()(const OutputInput& input, const OutputSource& source) const override;
  OutputReads reads() const override { return {.state = true, .weights = true}; }
  OutputSource read(const Encoded& encoded) const override;

 private:
  Linear state_, source_;
};

}  // namespace attune
