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
  return {options(group).centered ? "variance" : "square_avg",
          options(group).centered ? "grad_avg" : nullptr,
          options(group).momentum > 0 ? "momentum_buffer" : nullptr};
}

void RMSprop::update(const Slice& slice) const {
  const RMSpropOptions& o = options(slice.group);
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const T rate = static_cast<T>(slice.learning_rate);
    const T weight_decay = static_cast<T>(o.weight_decay);
    const T alpha = static_cast<T>(o.alpha);
    const T rest = static_cast<T>(1 - o.alpha);
    const T eps = static_cast<T>(o.eps);
    const T momentum = static_cast<T>(o.momentum);

    // The step of one element before momentum and learning rate.
    const auto plain = [=](T p, T g, T& square) {
      g += weight_decay * p;
      square = without_infinity(without_subnormal(alpha * square + rest * g * g));
      return step_size(g, std::sqrt(square) + eps);
    };
    // The state is the variance, not the mean square v: if the gradient hardly changes, v - a^2
    // suffers from cancellation and may even be negative.
    const auto centered = [=](T p, T g, T& variance, T& mean) {
      g += weight_decay * p;
      const T change = g - mean;
      variance =
          without_infinity(without_subnormal(alpha * variance + alpha * (rest * change * change)));
      mean = without_subnormal(mean + rest * change);
      return step_size(g, std::sqrt(variance) + eps);
    };

    if (o.centered && o.momentum > 0)
      return slice.each<T, 0, 1, 2>([=](T& p, T g, T& variance, T& mean, T& buffer) {
        buffer = without_subnormal(momentum * buffer + centered(p, g, variance, mean));
        p -= rate * buffer;
      });
    if (o.centered)
      return slice.each<T, 0, 1>(
          [=](T& p, T g, T& variance, T& mean) { p -= rate * centered(p, g, variance, mean); });
    if (o.momentum > 0)
      return slice.each<T, 0, 2>([=](T& p, T g, T& square, T& buffer) {
        buffer = without_subnormal(momentum * buffer + plain(p, g, square));
        p -= rate * buffer;
      });
    slice.each<T, 0>([=](T& p, T g, T& square) { p -= rate * plain(p, g, square); });
  });
}

}  // namespace attune
