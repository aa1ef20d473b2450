#pragma once

#include <vector>

#include "attune/optim/optimizer.h"

namespace attune {

struct AdagradOptions {
  double learning_rate = 1e-2;
  double learning_rate_decay = 0;  ///< delta
  double eps = 1e-10;              ///< avoids division by 0
  double weight_decay = 0;         ///< lambda: L2 penalty
  /// Errors: a value out of range.
  void check() const;
};

/// Adagrad (Duchi, Hazan and Singer 2011, "Adaptive Subgradient Methods for Online Learning and
/// Stochastic Optimization"). For a parameter p with gradient g and learning rate r, step
/// t = 1, 2, ... is:
///
///     g <- g + lambda p
///     s <- s + g^2
///     p <- p - r / (1 + (t - 1) delta)  g / (sqrt(s) + eps)
class Adagrad : public OptimizerWith<AdagradOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int group) const override;
  void update(const Slice& slice) const override;
};

}  // namespace attune
