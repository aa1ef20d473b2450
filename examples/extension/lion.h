#pragma once

#include "attune/attune.h"

namespace extension {

using namespace attune;

struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9, beta2 = 0.99;
  double weight_decay = 0;  ///< lambda
  /// Errors: a value out of range.
  void check() const {
    ATTUNE_CHECK(beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1,
                 "Lion: beta1 is {} and beta2 {}; expected at least 0 and below 1", beta1, beta2);
  }
};

/// Lion (Chen et al. 2023, algorithm 2). For the gradient g of a parameter p with learning rate r:
///
///     p <- p - r (sign(beta1 m + (1 - beta1) g) + lambda p)
///     m <- beta2 m + (1 - beta2) g
class Lion : public OptimizerWith<LionOptions> {
 public:
  using OptimizerWith::OptimizerWith;

 protected:
  std::vector<const char*> slots(int) const override { return {"exp_avg"}; }  // m

  void update(const Slice& slice) const override {
    const LionOptions& o = options(slice.group);
    dispatch(slice.dtype(), [&](auto type) {
      using T = decltype(type);
      const T rate = static_cast<T>(slice.learning_rate), decay = static_cast<T>(o.weight_decay);
      const T beta1 = static_cast<T>(o.beta1), beta2 = static_cast<T>(o.beta2);
      slice.each<T, 0>([=](T& p, T g, T& m) {
        const T direction = beta1 * m + (1 - beta1) * g;
        p -= rate * (static_cast<T>((direction > 0) - (direction < 0)) + decay * p);
        m = without_subnormal(beta2 * m + (1 - beta2) * g);
      });
    });
  }
};

inline std::unique_ptr<Optimizer> make_lion(const Parameters& parameters,
                                            const OptimizerOptions& chosen) {
  LionOptions options;
  options.learning_rate = chosen.learning_rate.value_or(options.learning_rate);
  options.weight_decay = chosen.weight_decay.value_or(options.weight_decay);
  return std::make_unique<Lion>(parameters, options);
}

}  // namespace extension
