#include "attune/optim/sgd.h"

namespace attune {

void SGDOptions::check() const {
  ATTUNE_CHECK(momentum >= 0 && momentum <= 1, "SGD: the momentum is {}; expected 0 to 1",
               momentum);
  ATTUNE_CHECK(weight_decay >= 0, "SGD: the weight decay is {}; expected at least 0", weight_decay);
  ATTUNE_CHECK(!nesterov || (momentum > 0 && dampening == 0),
               "SGD: Nesterov's momentum needs momentum > 0 and dampening = 0; they are {} and {}",
               momentum, dampening);
}

std::vector<const char*> SGD::slots(int group) const {
  return {options(group).momentum > 0 ? "momentum_buffer" : nullptr};
}

void SGD::update(const Slice& slice) const {
  const SGDOptions& o = options(slice.group);
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const T rate = static_cast<T>(slice.learning_rate);
    const T weight_decay = static_cast<T>(o.weight_decay);
    if (o.momentum == 0)
      return slice.each<T>([=](T& p, T g) { p -= rate * (g + weight_decay * p); });

    const T momentum = static_cast<T>(o.momentum);
    const T taken = static_cast<T>(slice.step == 1 ? 1 : 1 - o.dampening);
    if (o.nesterov)
      return slice.each<T, 0>([=](T& p, T g, T& buffer) {
        g += weight_decay * p;
        buffer = without_subnormal(momentum * buffer + taken * g);
        p -= rate * (g + momentum * buffer);
      });
    slice.each<T, 0>([=](T& p, T g, T& buffer) {
      g += weight_decay * p;
      buffer = without_subnormal(momentum * buffer + taken * g);
      p -= rate * buffer;
    });
  });
}

}  // namespace attune
