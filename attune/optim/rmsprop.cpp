#include "attune/optim/rmsprop.h"

#include <cmath>

namespace attune {

void RMSpropOptions::check() const {
  ATTUNE_CHECK(alpha >= 0 && alpha <= 1, "RMSprop: alpha is {}; expected 0 to 1", alpha);
  ATTUNE_CHECK(eps >= 0 && weight_decay >= 0 && momentum >= 0,
               "RMSprop: eps {}, weight decay {}, momentum {}; expected none below 0", eps,
               weight_decay, momentum);
}

std::vector<const char*> RMSprop::slots(int group) const {
  return {"square_avg", options(group).centered ? "grad_avg" : nullptr,
          options(group).momentum > 0 ? "momentum_buffer" : nullptr};
}

void RMSprop::update(const Slice& slice) const {
  const RMSpropOptions& o = options(slice.group);
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const T rate = static_cast<T>(slice.learn_rate);
    const T weight_decay = static_cast<T>(o.weight_decay);
    const T alpha = static_cast<T>(o.alpha);
    const T rest = static_cast<T>(1 - o.alpha);
    const T eps = static_cast<T>(o.eps);
    const T momentum = static_cast<T>(o.momentum);

    // The step of one element before momentum and learn rate.
    const auto plain = [=](T p, T g, T& square) {
      g += weight_decay * p;
      square = without_subnormal(alpha * square + rest * g * g);
      return g / (std::sqrt(square) + eps);
    };
    const auto centered = [=](T p, T g, T& square, T& mean) {
      g += weight_decay * p;
      square = without_subnormal(alpha * square + rest * g * g);
      mean = without_subnormal(mean + rest * (g - mean));
      return g / (std::sqrt(square - mean * mean) + eps);
    };

    if (o.centered && o.momentum > 0)
      return slice.each<T, 0, 1, 2>([=](T& p, T g, T& square, T& mean, T& buffer) {
        buffer = without_subnormal(momentum * buffer + centered(p, g, square, mean));
        p -= rate * buffer;
      });
    if (o.centered)
      return slice.each<T, 0, 1>(
          [=](T& p, T g, T& square, T& mean) { p -= rate * centered(p, g, square, mean); });
    if (o.momentum > 0)
      return slice.each<T, 0, 2>([=](T& p, T g, T& square, T& buffer) {
        buffer = without_subnormal(momentum * buffer + plain(p, g, square));
        p -= rate * buffer;
      });
    slice.each<T, 0>([=](T& p, T g, T& square) { p -= rate * plain(p, g, square); });
  });
}

}  // namespace attune
