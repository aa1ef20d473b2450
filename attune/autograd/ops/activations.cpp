#include "attune/autograd/ops/activations.h"

#include <cmath>
#include <numbers>

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"

namespace attune {
namespace {

// Phi(x), the normal distribution function; by erfc, so that its tail keeps its digits.
template <typename T>
T normal_distribution(T x) {
  return T(0.5) * std::erfc(-x * static_cast<T>(std::numbers::sqrt2 / 2));
}

// phi(x), its density.
template <typename T>
T normal_density(T x) {
  constexpr double kScale = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;  // 1 / sqrt(2 pi)
  return static_cast<T>(kScale) * math::exp(T(-0.5) * x * x);
}

}  // namespace

Tensor tanh(const Tensor& x) {
  Array y = map(x.value(), [](auto v) { return math::tanh(v); });
  return record("tanh", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto t) { return d * (1 - t * t); }, g.dy(), *y));
  });
}

Tensor sigmoid(const Tensor& x) {
  Array y = map(x.value(), [](auto v) { return math::sigmoid(v); });
  return record("sigmoid", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto s) { return d * s * (1 - s); }, g.dy(), *y));
  });
}

Tensor relu(const Tensor& x) {
  Array y = map(x.value(), [](auto v) { return v < 0 ? decltype(v)(0) : v; });  // NaN stays NaN
  return record("relu", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto r) { return r > 0 ? d : decltype(d)(0); }, g.dy(), *y));
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  Array y =
      map(x.value(), [slope](auto v) { return v > 0 ? v : static_cast<decltype(v)>(slope) * v; });
  return record("leaky_relu", std::move(y), {x}, [slope, x = Saved(x)](Grads& g) {
    const auto derivative = [slope](auto d, auto v) {
      return v > 0 ? d : static_cast<decltype(d)>(slope) * d;
    };
    g.add(0, map_same(derivative, g.dy(), *x));
  });
}

Tensor gelu(const Tensor& x) {
  Array y = map(x.value(), [](auto v) { return v * normal_distribution(v); });
  return record("gelu", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    const auto derivative = [](auto d, auto v) {
      return d * (normal_distribution(v) + v * normal_density(v));
    };
    g.add(0, map_same(derivative, g.dy(), *x));
  });
}

Tensor silu(const Tensor& x) {
  Array y = map(x.value(), [](auto v) { return v * math::sigmoid(v); });
  return record("silu", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    const auto derivative = [](auto d, auto v) {
      const auto s = math::sigmoid(v);
      return d * s * (1 + v * (1 - s));
    };
    g.add(0, map_same(derivative, g.dy(), *x));
  });
}

// max(x, 0) + log(1 + e^-|x|): the exponent is never positive.
Tensor softplus(const Tensor& x) {
  Array y = map(x.value(), [](auto v) {
    return (v < 0 ? decltype(v)(0) : v) + std::log1p(math::exp(-std::fabs(v)));
  });
  return record("softplus", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return d * math::sigmoid(v); }, g.dy(), *x));
  });
}

}  // namespace attune
