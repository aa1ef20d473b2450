#include "attune/optim/adam.h"

#include <cmath>

namespace attune {
namespace {

template <typename Options>
void check_options(const char* name, const Options& o) {
  ATTUNE_CHECK(o.beta1 >= 0 && o.beta1 < 1 && o.beta2 >= 0 && o.beta2 < 1,
               "{}: the betas are {} and {}; expected at least 0 and less than 1", name, o.beta1,
               o.beta2);
  ATTUNE_CHECK(o.eps >= 0 && o.weight_decay >= 0,
               "{}: eps is {} and the weight decay {}; expected none below 0", name, o.eps,
               o.weight_decay);
}

// The constants of one step of a parameter, and the update of one element.
template <typename T>
struct Moments {
  template <typename Options>
  Moments(const Options& o, double learning_rate, std::int64_t step)
      : beta2(static_cast<T>(o.beta2)),
        rest1(static_cast<T>(1 - o.beta1)),
        rest2(static_cast<T>(1 - o.beta2)),
        eps(static_cast<T>(o.eps)) {
    const double t = static_cast<double>(step);
    rate = static_cast<T>(learning_rate / (1 - std::pow(o.beta1, t)));
    correction = static_cast<T>(std::sqrt(1 - std::pow(o.beta2, t)));
  }

  void operator()(T& p, T g, T& mean, T& square) const {
    mean = without_subnormal(mean + rest1 * (g - mean));
    square = without_infinity(without_subnormal(beta2 * square + rest2 * g * g));
    p -= step_size(rate * mean, std::sqrt(square) / correction + eps);
  }

  T beta2, rest1, rest2, eps, rate, correction;
};

}  // namespace

void AdamOptions::check() const { check_options("Adam", *this); }

std::vector<const char*> Adam::slots(int) const { return {"exp_avg", "exp_avg_sq"}; }

void Adam::update(const Slice& slice) const {
  const AdamOptions& o = options(slice.group);
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const Moments<T> moments(o, slice.learning_rate, slice.step);
    const T weight_decay = static_cast<T>(o.weight_decay);
    slice.each<T, 0, 1>(
        [=](T& p, T g, T& mean, T& square) { moments(p, g + weight_decay * p, mean, square); });
  });
}

void AdamWOptions::check() const { check_options("AdamW", *this); }

std::vector<const char*> AdamW::slots(int) const { return {"exp_avg", "exp_avg_sq"}; }

void AdamW::update(const Slice& slice) const {
  const AdamWOptions& o = options(slice.group);
  dispatch(slice.dtype(), [&](auto type) {
    using T = decltype(type);
    const Moments<T> moments(o, slice.learning_rate, slice.step);
    const T kept = static_cast<T>(1 - slice.learning_rate * o.weight_decay);
    slice.each<T, 0, 1>([=](T& p, T g, T& mean, T& square) {
      p *= kept;
      moments(p, g, mean, square);
    });
  });
}

}  // namespace attune
