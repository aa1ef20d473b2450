#pragma once

#include "attune/autograd/ops/arithmetic.h"
#include "attune/layers/dropout.h"
#include "attune/layers/layer_norm.h"

namespace attune {

/// What surrounds every part f of a Transformer layer: a way past it, dropout, and a LayerNorm.
///
///     norm(x + dropout(f(x)))        Vaswani et al. 2017, sec. 3.1 and 5.4
///     x + dropout(f(norm(x)))        norm_first (Xiong et al. 2020): gradients pass unchanged from
///                                    the last layer to the first, so training needs less care
class Residual {
 public:
  Residual(LayerNorm norm, double dropout, bool norm_first)
      : norm_(std::move(norm)), dropout_(dropout), norm_first_(norm_first) {}

  /// `part` maps a tensor to one of its shape.
  template <typename Part>
  Tensor operator()(const Tensor& x, const Part& part) const {
    return norm_first_ ? x + dropout_(part(norm_(x))) : norm_(x + dropout_(part(x)));
  }

 private:
  LayerNorm norm_;
  Dropout dropout_;
  bool norm_first_;
};

}  // namespace attune
