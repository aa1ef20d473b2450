#pragma once

#include "attune/autograd/ops/normalization.h"
#include "attune/layers/norm_layer.h"

namespace attune {

/// y = x / sqrt(mean(x^2) + eps) * weight over the last axis (Zhang and Sennrich 2019, eq. 4).
///
/// Shapes: x [..., features] -> y [..., features].
/// Parameters: weight [features], 1 at first.
/// Errors: the last axis of x is not `features`.
class RMSNorm : public NormLayer {
 public:
  explicit RMSNorm(std::int64_t features, double eps = 1e-5)
      : weight_(param("weight", {features}, ones())), eps_(eps) {}
  Tensor operator()(const Tensor& x) const override {
    const LayerScope scope(*this);
    return rms_norm(x, weight_, eps_);
  }

 private:
  Tensor weight_;
  double eps_;
};

}  // namespace attune
