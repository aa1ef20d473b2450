#pragma once

#include "attune/models/output_layer.h"

namespace attune {

/// logits = W [s_t ; c_t] + b, the usual output layer (Bahdanau et al. 2015, sec. 3.1, without the
/// paper's maxout).
///
/// Parameters: weight [V, C] and bias [V], both uniform in +-1 / sqrt(C).
/// Errors: a size below 1.
class LinearOutput : public OutputLayer {
 public:
  explicit LinearOutput(const OutputLayerOptions& options);
  Tensor operator()(const OutputInput& input, const OutputSource& source) const override;

 private:
  Tensor weight_, bias_;
};

}  // namespace attune
