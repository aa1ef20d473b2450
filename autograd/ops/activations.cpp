#include "attune/autograd/ops/activations.h"

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"

namespace attune {
namespace {

// d * slope, and 0 for a gradient of 0, whatever x is: where a mask hides a result, x may be NaN.
constexpr auto kChain = [](auto d, auto slope) { return d == 0 ? d : d * slope; };

}  // namespace

Tensor tanh(const Tensor& x) {
  Array y = map("tanh", x.value(), [](auto v) { return math::tanh(v); });
  return record("tanh", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto t) { return kChain(d, 1 - t * t); }, g.dy(), *y));
  });
}

Tensor sigmoid(const Tensor& x) {
  Array y = map("sigmoid", x.value(), [](auto v) { return math::sigmoid(v); });
  return record("sigmoid", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto s) { return d == 0 ? d : d * s * (1 - s); }, g.dy(), *y));
  });
}

Tensor relu(const Tensor& x) {
  Array y =
      map("relu", x.value(), [](auto v) { return v < 0 ? decltype(v)(0) : v; });  // NaN propagates
  return record("relu", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto r) { return r <= 0 ? decltype(d)(0) : d; }, g.dy(), *y));
  });
}

Tensor leaky_relu(const Tensor& x, double slope) {
  Array y = map("leaky_relu", x.value(),
                [slope](auto v) { return v > 0 ? v : static_cast<decltype(v)>(slope) * v; });
  return record("leaky_relu", std::move(y), {x}, [slope, x = Saved(x)](Grads& g) {
    const auto derivative = [slope](auto d, auto v) {
      return v > 0 ? d : static_cast<decltype(d)>(slope) * d;
    };
    g.add(0, map_same(derivative, g.dy(), *x));
  });
}

Tensor elu(const Tensor& x) {
  Array y = map("elu", x.value(), [](auto v) { return math::elu(v); });
  return record("elu", y, {x}, [y = Saved(y)](Grads& g) {
    const auto derivative = [](auto d, auto e) { return d == 0 || e > 0 ? d : d * (e + 1); };
    g.add(0, map_same(derivative, g.dy(), *y));
  });
}

Tensor gelu(const Tensor& x) {
  Array y = map("gelu", x.value(), [](auto v) { return math::gelu(v); });
  return record("gelu", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return kChain(d, math::gelu_slope(v)); }, g.dy(), *x));
  });
}

Tensor silu(const Tensor& x) {
  Array y = map("silu", x.value(), [](auto v) { return math::silu(v); });
  return record("silu", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return kChain(d, math::silu_slope(v)); }, g.dy(), *x));
  });
}

Tensor softplus(const Tensor& x) {
  Array y = map("softplus", x.value(), [](auto v) { return math::softplus(v); });
  return record("softplus", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return kChain(d, math::sigmoid(v)); }, g.dy(), *x));
  });
}

}  // namespace attune
