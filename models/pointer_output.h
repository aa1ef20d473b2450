#pragma once

#include "attune/layers/linear.h"
#include "attune/models/output_layer.h"

namespace attune {

/// Points at a position of the source and copies its token (Vinyals et al. 2015, sec. 2.3): the
/// weights a of attention are the distribution of the position, so
///
///     p(y) = (1 - e_t) sum_{s: x_s = y} a_s,   p(</s>) = e_t = sigmoid(w [s_t ; c_t] + b)
///
/// In the paper `</s>` is one of the positions that the softmax runs over. Here its probability is
/// computed apart, so that it does not depend on the normaliser. A token that the source does not
/// contain cannot be written; one that no vocabulary contains can be copied (see CopiedTokens).
/// logits = log p, with p at least kLeastProbability.
///
/// Parameters: end.weight [1, C] (w) and end.bias [1].
/// Errors: a size below 1; the source has no tokens.
class PointerOutput : public OutputLayer {
 public:
  explicit PointerOutput(const OutputLayerOptions& options);
  Tensor operator()(const OutputInput& input, const OutputSource& source) const override;
  OutputReads reads() const override { return {.weights = true}; }
  Tensor copies(const OutputInput& input) const override;
  std::int64_t copied_vocabulary() const override { return source_vocabulary(options_); }
  OutputSource read(const Encoded& encoded) const override;

 private:
  OutputLayerOptions options_;
  Linear end_;
};

}  // namespace attune
