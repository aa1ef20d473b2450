#pragma once

#include "attune/autograd/ops/arithmetic.h"
#include "attune/layers/dropout.h"
#include "attune/layers/norm_layer.h"

namespace attune {

/// The residual connection, dropout and normalisation around each sublayer f of a Transformer
/// layer:
///
///     norm(x + dropout(f(x)))        Vaswani et al. 2017, sec. 3.1 and 5.4
///     x + dropout(f(norm(x)))        norm_first (Xiong et al. 2020): the identity path passes
///                                    gradients unchanged from the last layer to the first, which
///                                    makes training more stable
///
/// Shapes: x [..., features] -> [..., features]. Errors: dropout outside [0, 1).
class Residual {
 public:
  Residual(std::shared_ptr<NormLayer> norm, double dropout, bool norm_first)
      : norm_(std::move(norm)), dropout_(dropout), norm_first_(norm_first) {}

  /// `part` is the sublayer f: it returns a tensor of the shape of its argument.
  template <typename Part>
  Tensor operator()(const Tensor& x, const Part& part) const {
    return norm_first_ ? x + dropout_(part((*norm_)(x))) : (*norm_)(x + dropout_(part(x)));
  }

 private:
  std::shared_ptr<NormLayer> norm_;
  Dropout dropout_;
  bool norm_first_;
};

}  // namespace attune
