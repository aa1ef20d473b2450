#pragma once

#include <vector>

#include "attune/optim/optimizer.h"

namespace attune {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;       ///< decay rate of the mean m, in [0, 1)
  double beta2 = 0.999;     ///< decay rate of the mean square v, in [0, 1)
  double eps = 1e-8;        ///< avoids division by 0
  double weight_decay = 0;  ///< lambda: L2 penalty
  /// Errors: a value out of range.
  void check() const;
};

/// Adam (Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1). For a
/// parameter p with gradient g and learning rate r, step t = 1, 2, ... is:
///
///     g <- g + lambda p
///     m <- beta1 m + (1 - beta1) g
///     v <- beta2 v + (1 - beta2) g^2
///     p <- p - r (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)
class Adam : public OptimizerWith<AdamOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int group) const override;
  void update(const Slice& slice) const override;
};

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;          ///< decay rate of the mean, in [0, 1)
  double beta2 = 0.999;        ///< decay rate of the mean square, in [0, 1)
  double eps = 1e-8;           ///< avoids division by 0
  double weight_decay = 1e-2;  ///< lambda: each step multiplies p by 1 - r lambda
  /// Errors: a value out of range.
  void check() const;
};

/// Adam with decoupled weight decay (Loshchilov and Hutter 2019, "Decoupled Weight Decay
/// Regularization", algorithm 2): p <- (1 - r lambda) p, then Adam's update without its L2 penalty.
class AdamW : public OptimizerWith<AdamWOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int group) const override;
  void update(const Slice& slice) const override;
};

}  // namespace attune
