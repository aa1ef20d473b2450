#include "attune/autograd/ops/arithmetic.h"

#include <cmath>
#include <limits>

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"

namespace attune {

using namespace kernels;

namespace {

// Saves `value` only if `wants_gradient` requires a gradient, which is computed from it.
Saved saved_for(const Tensor& wants_gradient, const Array& value) {
  return wants_gradient.requires_grad() ? Saved(value) : Saved();
}

constexpr auto kProduct = [](auto x, auto y) { return x * y; };

Array scaled(const Array& x, double factor) {
  return map("multiply", x, [factor](auto v) { return v * static_cast<decltype(v)>(factor); });
}

// minimum() and maximum(); wins(x, y) is true if x is chosen over y. Where an operand is not chosen
// its gradient is set to 0 rather than multiplied by 0, so that it is 0 even if dy is NaN or
// infinite. Where either operand is NaN so is the result, and both get all of the gradient.
template <typename Wins>
Tensor pick(const char* name, const Tensor& a, const Tensor& b, const Wins& wins) {
  // If x is NaN, `x != x` chooses it; if y is NaN, the comparison is false and chooses y.
  const auto choose = [wins](auto x, auto y) { return x != x || wins(x, y) ? x : y; };
  return record(name, map(name, a.value(), b.value(), choose), {a, b},
                [name, wins, a = Saved(a), b = Saved(b)](Grads& g) {
                  const auto pass = [&](const Array& to, const Array& other) {
                    const Array share = map(name, to, other, [wins](auto x, auto y) {
                      using T = decltype(x);
                      return wins(y, x) ? T(0) : (x == y ? T(0.5) : T(1));
                    });
                    return map_same([](auto s, auto d) { return s == 0 ? s : s * d; }, share,
                                    g.dy());
                  };
                  if (g.needs(0)) g.add(0, pass(*a, *b));
                  if (g.needs(1)) g.add(1, pass(*b, *a));
                });
}

// min(max(x, low), high), where low <= high.
Tensor clamp(const char* name, const Tensor& x, double low, double high) {
  Array y = map(name, x.value(), [low, high](auto v) {
    using T = decltype(v);
    return v < static_cast<T>(low) ? static_cast<T>(low)
                                   : (v > static_cast<T>(high) ? static_cast<T>(high) : v);
  });
  return record(name, std::move(y), {x}, [low, high, x = Saved(x)](Grads& g) {
    const auto slope = [low, high](auto d, auto v) {
      using T = decltype(v);
      return v >= static_cast<T>(low) && v <= static_cast<T>(high) ? d : T(0);
    };
    g.add(0, map_same(slope, g.dy(), *x));
  });
}

}  // namespace

Tensor operator+(const Tensor& a, const Tensor& b) {
  Array y = map("add", a.value(), b.value(), [](auto x, auto y) { return x + y; });
  return record("add", std::move(y), {a, b}, [](Grads& g) {
    g.add(0, g.dy());
    g.add(1, g.dy());
  });
}

Tensor operator-(const Tensor& a, const Tensor& b) {
  Array y = map("subtract", a.value(), b.value(), [](auto x, auto y) { return x - y; });
  return record("subtract", std::move(y), {a, b}, [](Grads& g) {
    g.add(0, g.dy());
    if (g.needs(1)) g.add(1, map(g.dy(), [](auto d) { return -d; }));
  });
}

Tensor operator*(const Tensor& a, const Tensor& b) {
  Array y = map("multiply", a.value(), b.value(), kProduct);
  return record("multiply", std::move(y), {a, b},
                [a = saved_for(b, a.value()), b = saved_for(a, b.value())](Grads& g) {
                  if (g.needs(0)) g.add(0, map("multiply", g.dy(), *b, kProduct));
                  if (g.needs(1)) g.add(1, map("multiply", g.dy(), *a, kProduct));
                });
}

Tensor operator/(const Tensor& a, const Tensor& b) {
  Array y = map("divide", a.value(), b.value(), [](auto x, auto y) { return x / y; });
  return record("divide", y, {a, b}, [b = Saved(b), y = saved_for(b, y)](Grads& g) {
    const auto quotient = [](auto x, auto b) { return x / b; };
    if (g.needs(0)) g.add(0, map("divide", g.dy(), *b, quotient));
    // Divide y by b first: dy / b may overflow where y is 0.
    if (g.needs(1))
      g.add(1, map_same([](auto d, auto slope) { return -d * slope; }, g.dy(),
                        map("divide", *y, *b, quotient)));
  });
}

Tensor operator+(const Tensor& a, double b) {
  Array y = map("add", a.value(), [b](auto x) { return x + static_cast<decltype(x)>(b); });
  return record("add", std::move(y), {a}, [](Grads& g) { g.add(0, g.dy()); });
}

Tensor operator+(double a, const Tensor& b) { return b + a; }

Tensor operator-(const Tensor& a, double b) {
  Array y = map("subtract", a.value(), [b](auto x) { return x - static_cast<decltype(x)>(b); });
  return record("subtract", std::move(y), {a}, [](Grads& g) { g.add(0, g.dy()); });
}

Tensor operator-(double a, const Tensor& b) {
  Array y = map("subtract", b.value(), [a](auto x) { return static_cast<decltype(x)>(a) - x; });
  return record("subtract", std::move(y), {b},
                [](Grads& g) { g.add(0, map(g.dy(), [](auto d) { return -d; })); });
}

Tensor operator*(const Tensor& a, double b) {
  return record("multiply", scaled(a.value(), b), {a},
                [b](Grads& g) { g.add(0, scaled(g.dy(), b)); });
}

Tensor operator*(double a, const Tensor& b) { return b * a; }

Tensor operator/(const Tensor& a, double b) {
  const auto divide = [b](auto x) { return x / static_cast<decltype(x)>(b); };
  return record("divide", map("divide", a.value(), divide), {a},
                [divide](Grads& g) { g.add(0, map(g.dy(), divide)); });
}

Tensor operator/(double a, const Tensor& b) {
  Array y = map("divide", b.value(), [a](auto x) { return static_cast<decltype(x)>(a) / x; });
  return record("divide", y, {b}, [b = Saved(b), y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto x, auto y) { return -d * (y / x); }, g.dy(), *b, *y));
  });
}

Tensor operator-(const Tensor& x) {
  const auto negate = [](auto v) { return -v; };
  return record("negate", map("negate", x.value(), negate), {x},
                [negate](Grads& g) { g.add(0, map(g.dy(), negate)); });
}

Tensor exp(const Tensor& x) {
  Array y = map("exp", x.value(), [](auto v) { return math::exp(v); });
  return record("exp", y, {x},
                [y = Saved(y)](Grads& g) { g.add(0, map_same(kProduct, g.dy(), *y)); });
}

Tensor log(const Tensor& x) {
  Array y = map("log", x.value(), [](auto v) { return math::log(v); });
  return record("log", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return d / v; }, g.dy(), *x));
  });
}

Tensor sqrt(const Tensor& x) {
  Array y = map("sqrt", x.value(), [](auto v) { return std::sqrt(v); });
  return record("sqrt", y, {x}, [y = Saved(y)](Grads& g) {
    g.add(0, map_same([](auto d, auto root) { return d / (2 * root); }, g.dy(), *y));
  });
}

Tensor square(const Tensor& x) {
  Array y = map("square", x.value(), [](auto v) { return v * v; });
  return record("square", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    g.add(0, map_same([](auto d, auto v) { return d * (2 * v); }, g.dy(), *x));
  });
}

Tensor pow(const Tensor& x, double exponent) {
  if (exponent == 2) return square(x);
  Array y = map("pow", x.value(),
                [exponent](auto v) { return std::pow(v, static_cast<decltype(v)>(exponent)); });
  return record("pow", std::move(y), {x}, [exponent, x = Saved(x)](Grads& g) {
    if (exponent == 0)  // y is 1 everywhere; at x = 0 the formula below gives NaN
      return g.add(0, Array::zeros(x->shape(), x->dtype()));
    const auto slope = [exponent](auto d, auto v) {
      using T = decltype(v);
      return d * (static_cast<T>(exponent) * std::pow(v, static_cast<T>(exponent - 1)));
    };
    g.add(0, map_same(slope, g.dy(), *x));
  });
}

Tensor abs(const Tensor& x) {
  Array y = map("abs", x.value(), [](auto v) { return std::fabs(v); });
  return record("abs", std::move(y), {x}, [x = Saved(x)](Grads& g) {
    const auto slope = [](auto d, auto v) {
      using T = decltype(d);
      return v > 0 ? d : (v < 0 ? -d : T(0));
    };
    g.add(0, map_same(slope, g.dy(), *x));
  });
}

Tensor minimum(const Tensor& a, const Tensor& b) {
  return pick("minimum", a, b, [](auto x, auto y) { return x < y; });
}

Tensor maximum(const Tensor& a, const Tensor& b) {
  return pick("maximum", a, b, [](auto x, auto y) { return x > y; });
}

Tensor minimum(const Tensor& x, double bound) {
  return clamp("minimum", x, -std::numeric_limits<double>::infinity(), bound);
}

Tensor maximum(const Tensor& x, double bound) {
  return clamp("maximum", x, bound, std::numeric_limits<double>::infinity());
}

Tensor clamp(const Tensor& x, double low, double high) {
  ATTUNE_CHECK(low <= high, "clamp: low {} is above high {}; swap them", low, high);
  return clamp("clamp", x, low, high);
}

}  // namespace attune
