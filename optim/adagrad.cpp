#include "attune/optim/adagrad.h"

#include <cmath>

namespace attune {

void AdagradOptions::check() const {
  ATTUNE_CHECK(learning_rate_decay >= 0 && eps >= 0 && weight_decay >= 0,
               "Adagrad: learning rate decay {}, eps {}, weight decay {}; expected none below 0",
               learning_rate_decay, eps, weight_decay);
}

std::vector<const char*> Adagrad::slots(int) const { return {"sum"}; }

void Adagrad::update(const Slice& slice) const {
  const AdagradOptions& o = options(slice.group);
  const double decay = 1 + static_cast<double>(slice.step - 1) * o.learning_rate_decay;
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const T rate = static_cast<T>(slice.learning_rate / decay);
    const T weight_decay = static_cast<T>(o.weight_decay);
    const T eps = static_cast<T>(o.eps);
    slice.each<T, 0>([=](T& p, T g, T& sum) {
      g += weight_decay * p;
      sum = without_infinity(sum + g * g);
      p -= step_size(rate * g, std::sqrt(sum) + eps);
    });
  });
}

}  // namespace attune
