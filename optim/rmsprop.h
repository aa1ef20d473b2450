#pragma once

#include <vector>

#include "attune/optim/optimizer.h"

namespace attune {

struct RMSpropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99;      ///< decay rate of the running averages, in [0, 1]
  double eps = 1e-8;        ///< avoids division by 0
  double weight_decay = 0;  ///< lambda: L2 penalty
  double momentum = 0;      ///< mu
  bool centered = false;    ///< divide by the standard deviation, not by the root mean square
  /// Errors: a value out of range.
  void check() const;
};

/// RMSprop (Hinton 2012, "Neural Networks for Machine Learning", lecture 6e; centered as in Graves
/// 2013, "Generating Sequences With Recurrent Neural Networks", eq. 38-45). For a parameter p with
/// gradient g and learning rate r:
///
///     g <- g + lambda p
///     v <- alpha v + (1 - alpha) g^2
///     a <- alpha a + (1 - alpha) g        centered only
///     d  = g / (sqrt(v) + eps)            g / (sqrt(v - a^2) + eps) if centered
///     b <- mu b + d                       with momentum only
///     p <- p - r b                        p - r d without momentum
///
/// If centered, u = v - a^2 is stored instead of v, so that rounding cannot make it negative:
///
///     u <- alpha u + alpha (1 - alpha) (g - a)^2        with a from before the step
class RMSprop : public OptimizerWith<RMSpropOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int group) const override;
  void update(const Slice& slice) const override;
};

}  // namespace attune
