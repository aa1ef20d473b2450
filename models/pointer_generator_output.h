#pragma once

#include "attune/layers/linear.h"
#include "attune/models/output_layer.h"

namespace attune {

/// Writes a token of the vocabulary or copies one of the source (See et al. 2017, sec. 2.2):
///
///     p_gen = sigmoid(w [s_t ; c_t ; e_t] + b)                                   eq. 8
///     p(y)  = p_gen softmax(W [s_t ; c_t] + b')_y
///             + (1 - p_gen) sum_{s: x_s = y} a_s                                 eq. 9
///
/// with the weights a of attention and e_t, the embedding of the previous token. The
/// vocabulary of the softmax is extended by the tokens of each source, which thus can be written
/// even if training never showed them (see CopiedTokens). The paper computes the softmax with two
/// linear layers. logits = log p, with p at least kLeastProbability.
///
/// Parameters: generate.weight [1, C + E] (w) and generate.bias, vocabulary.weight [V, C] (W) and
/// vocabulary.bias.
/// Errors: a size below 1; the source has no tokens.
class PointerGeneratorOutput : public OutputLayer {
 public:
  explicit PointerGeneratorOutput(const OutputLayerOptions& options);
  Tensor operator()(const OutputInput& input, const OutputSource& source) const override;
  OutputReads reads() const override { return {.previous = true, .weights = true}; }
  Tensor copies(const OutputInput& input) const override;
  std::int64_t copied_vocabulary() const override { return source_vocabulary(options_); }
  OutputSource read(const Encoded& encoded) const override;

 private:
  Tensor generate(const OutputInput& input) const;  // p_gen [..., B, 1]

  OutputLayerOptions options_;
  Linear generate_, vocabulary_;
};

}  // namespace attune
