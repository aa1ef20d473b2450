#pragma once

#include <vector>

#include "attune/optim/optimizer.h"

namespace attune {

struct SGDOptions {
  double learning_rate = 1e-3;
  double momentum = 0;      ///< mu, in [0, 1]
  double dampening = 0;     ///< tau: momentum accumulates 1 - tau times each gradient
  double weight_decay = 0;  ///< lambda: L2 penalty
  bool nesterov = false;    ///< needs momentum > 0 and dampening = 0
  /// Errors: a value out of range.
  void check() const;
};

/// Stochastic gradient descent (Robbins and Monro 1951), optionally with momentum (Polyak 1964) or
/// Nesterov momentum (Sutskever et al. 2013, "On the importance of initialization and momentum in
/// deep learning"). For a parameter p with gradient g and learning rate r:
///
///     g <- g + lambda p
///     b <- mu b + (1 - tau) g         b <- g in the first step; with momentum only
///     p <- p - r b                    p - r (g + mu b) with nesterov, p - r g without momentum
class SGD : public OptimizerWith<SGDOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int group) const override;
  void update(const Slice& slice) const override;
};

}  // namespace attune
