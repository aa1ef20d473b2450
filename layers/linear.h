#pragma once

#include "attune/autograd/ops/linear.h"
#include "attune/layers/layer.h"

namespace attune {

/// An affine map of the last axis: y = x W^T + b.
///
/// Shapes: x [..., in] -> y [..., out].
/// Parameters: weight [out, in] and bias [out], both uniform in +-1 / sqrt(in).
/// Errors: a size below 1; the last axis of x is not `in`.
class Linear : public Layer {
 public:
  Linear(std::int64_t in, std::int64_t out, bool bias = true) {
    weight_ = param("weight", {out, in}, uniform_by_inputs(in));
    if (bias) bias_ = param("bias", {out}, uniform_by_inputs(in));
  }
  /// A map with the weight [out, in] of another layer, whose parameter it stays, such as that of an
  /// Embedding (Press and Wolf 2017). Parameters: bias only, 0 at first.
  explicit Linear(const Tensor& weight)
      : weight_(weight), bias_(param("bias", {weight.size(0)}, zeros())) {}
  Tensor operator()(const Tensor& x) const {
    const LayerScope scope(*this);
    return linear(x, weight_, bias_);
  }

  std::int64_t in() const { return weight_.size(1); }
  std::int64_t out() const { return weight_.size(0); }
  const Tensor& weight() const { return weight_; }
  /// Not defined without a bias.
  const Tensor& bias() const { return bias_; }

 private:
  Tensor weight_, bias_;
};

}  // namespace attune
