#pragma once

#include "attune/layers/layer.h"

namespace attune {

/// Zeroes each element with probability p in training and scales the others by 1 / (1 - p), so that
/// the expected value stays; under an Eval scope it gives x back (Srivastava et al. 2014). Draws
/// from generator(). No parameters. Errors: p outside [0, 1).
class Dropout : public Layer {
 public:
  explicit Dropout(double p);
  Tensor operator()(const Tensor& x) const;
  /// False where it gives x back.
  bool active() const;

 private:
  double p_;
};

}  // namespace attune
