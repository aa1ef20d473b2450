#pragma once

#include "attune/layers/layer.h"

namespace attune {

/// Dropout (Srivastava et al. 2014): y_i = m_i x_i / (1 - p), where m_i is 0 with probability p and
/// 1 otherwise, so that the expected value is unchanged. Under an Eval scope, returns x. Draws from
/// generator(). Shapes: x [...] -> [...]. No parameters. Errors: p outside [0, 1).
class Dropout : public Layer {
 public:
  explicit Dropout(double p);
  Tensor operator()(const Tensor& x) const;
  /// Whether dropout has an effect: p > 0 and no Eval scope is active.
  bool active() const;

 private:
  double p_;
};

}  // namespace attune
