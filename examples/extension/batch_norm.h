#pragma once

#include "attune/attune.h"

namespace extension {

using namespace attune;

/// y = (x - mean) / sqrt(variance + eps) * weight + bias, where mean and variance are those of the
/// batch in training, and their running means under Eval (Ioffe and Szegedy 2015, algorithm 1, 2).
///
/// Shapes: x [N, features] -> y [N, features].
/// Parameters: weight and bias. Buffers: running_mean and running_var. All [features].
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(std::int64_t features)
      : weight_(param("weight", {features}, ones())),
        bias_(param("bias", {features}, zeros())),
        running_mean_(buffer("running_mean", {features}, zeros())),
        running_var_(buffer("running_var", {features}, ones())) {}

  Tensor operator()(const Tensor& x) const {
    const LayerScope scope(*this);
    if (Eval::active()) return normalized(x, running_mean_, running_var_);
    move(running_mean_, mean(x.value(), 0));
    move(running_var_, var(x.value(), {0}));
    return normalized(x, mean(x, 0), var(x, {0}, /*keep=*/false, /*correction=*/0));
  }

 private:
  Tensor normalized(const Tensor& x, const Tensor& mean, const Tensor& variance) const {
    return (x - mean) * pow(variance + kEps, -0.5) * weight_ + bias_;
  }
  // Moves a running mean a tenth of the way to the value of this batch, in place.
  static void move(const Tensor& running, const Tensor& now) {
    Array values = running.value();
    values.assign((values * 0.9 + now * 0.1).value());
  }

  static constexpr double kEps = 1e-5;
  Tensor weight_, bias_, running_mean_, running_var_;
};

}  // namespace extension
