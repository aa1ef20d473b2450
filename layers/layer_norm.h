#pragma once

#include "attune/autograd/ops/normalization.h"
#include "attune/layers/norm_layer.h"

namespace attune {

/// y = (x - mean) / sqrt(variance + eps) * weight + bias over the last axis (Ba et al. 2016, eq. 3
/// and 4).
///
/// Shapes: x [..., features] -> y [..., features].
/// Parameters: weight [features], 1 at first, and bias [features], 0 at first.
/// Errors: the last axis of x is not `features`.
class LayerNorm : public NormLayer {
 public:
  explicit LayerNorm(std::int64_t features, double eps = 1e-5)
      : weight_(param("weight", {features}, ones())),
        bias_(param("bias", {features}, zeros())),
        eps_(eps) {}
  Tensor operator()(const Tensor& x) const override {
    const LayerScope scope(*this);
    return layer_norm(x, weight_, bias_, eps_);
  }

 private:
  Tensor weight_, bias_;
  double eps_;
};

}  // namespace attune
