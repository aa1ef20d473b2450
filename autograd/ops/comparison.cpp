#include "attune/autograd/ops/comparison.h"

#include <algorithm>

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/reduce.h"

namespace attune {
namespace {

constexpr auto kEqual = [](auto x, auto y) { return x == y; };
constexpr auto kNotEqual = [](auto x, auto y) { return x != y; };
constexpr auto kLess = [](auto x, auto y) { return x < y; };
constexpr auto kLessEqual = [](auto x, auto y) { return x <= y; };

template <typename F>
Tensor compare(const char* name, const Tensor& a, const Tensor& b, const F& f) {
  return map(name, a.value(), b.value(), f);
}

// `b` is rounded to the tensor's dtype, as in arithmetic.
template <typename F>
Tensor compare(const char* name, const Tensor& a, double b, const F& f) {
  return map(name, a.value(), [b, f](auto x) { return f(x, static_cast<decltype(x)>(b)); });
}

void check_booleans(const char* op, const Tensor& x) {
  ATTUNE_CHECK(x.value().defined() && x.dtype() == DType::boolean,
               "{}: {} {} holds no booleans; compare it first, as in not_equal(x, 0)", op,
               name_of(x.dtype()), x.shape());
}

// f(a, b) for booleans, with broadcasting.
template <typename F>
Tensor combine(const char* name, const Tensor& a, const Tensor& b, const F& f) {
  check_booleans(name, a);
  check_booleans(name, b);
  Array out(broadcast(a.shape(), b.shape(), name), DType::boolean);
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop({&a.shape(), &b.shape(), &b.shape()}, out.shape());
  const bool *x = a.value().data<bool>(), *y = b.value().data<bool>();
  detail::map_rows(loop, out.elements() / loop.width(), out.mutable_data<bool>(), x, y, y,
                   [f](bool p, bool q, bool) { return f(p, q); });
  return out;
}

// Along the axis: `wanted` if any element equals it, otherwise `!wanted`.
Tensor reduce(const char* name, const Tensor& x, int axis, bool keep, bool wanted) {
  check_booleans(name, x);
  axis = x.shape().axis(axis, name);
  const kernels::AxisLayout n(x.shape(), axis);
  Array y(x.shape().without(axis, keep), DType::boolean);
  const bool* from = x.value().data<bool>();
  bool* to = y.mutable_data<bool>();
  std::fill_n(to, y.elements(), !wanted);
  parallel_for(n.outer, row_grain(n.n * n.inner), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row)
      for (std::int64_t i = 0; i < n.n; ++i)
        for (std::int64_t j = 0; j < n.inner; ++j)
          if (from[(row * n.n + i) * n.inner + j] == wanted) to[row * n.inner + j] = wanted;
  });
  return y;
}

bool holds(const char* name, const Tensor& x, bool wanted) {
  check_booleans(name, x);
  const bool* values = x.value().data<bool>();
  return std::find(values, values + x.elements(), wanted) != values + x.elements();
}

// Converts numbers to booleans: true where not 0.
Array as_condition(const Array& x) { return x.to(DType::boolean); }

// condition ? a : b, with broadcasting.
Array choose(const Array& condition, const Array& a, const Array& b) {
  const Shape shape =
      broadcast(condition.shape(), broadcast(a.shape(), b.shape(), "where"), "where");
  Array out(shape, a.dtype());
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop({&condition.shape(), &a.shape(), &b.shape()}, shape);
  dispatch_any(a.dtype(), [&](auto type) {
    using T = decltype(type);
    detail::map_rows(loop, out.elements() / loop.width(), out.mutable_data<T>(),
                     condition.data<bool>(), a.data<T>(), b.data<T>(),
                     [](bool c, T x, T y) { return c ? x : y; });
  });
  return out;
}

Tensor constant(double value, const Tensor& like) {
  return Array::full(Shape{}, value, like.dtype());
}

}  // namespace

Tensor equal(const Tensor& a, const Tensor& b) { return compare("equal", a, b, kEqual); }
Tensor equal(const Tensor& a, double b) { return compare("equal", a, b, kEqual); }
Tensor not_equal(const Tensor& a, const Tensor& b) { return compare("not_equal", a, b, kNotEqual); }
Tensor not_equal(const Tensor& a, double b) { return compare("not_equal", a, b, kNotEqual); }
Tensor less(const Tensor& a, const Tensor& b) { return compare("less", a, b, kLess); }
Tensor less(const Tensor& a, double b) { return compare("less", a, b, kLess); }
Tensor less_equal(const Tensor& a, const Tensor& b) {
  return compare("less_equal", a, b, kLessEqual);
}
Tensor less_equal(const Tensor& a, double b) { return compare("less_equal", a, b, kLessEqual); }
Tensor greater(const Tensor& a, const Tensor& b) {
  return compare("greater", a, b, [](auto x, auto y) { return x > y; });
}
Tensor greater(const Tensor& a, double b) {
  return compare("greater", a, b, [](auto x, auto y) { return x > y; });
}
Tensor greater_equal(const Tensor& a, const Tensor& b) {
  return compare("greater_equal", a, b, [](auto x, auto y) { return x >= y; });
}
Tensor greater_equal(const Tensor& a, double b) {
  return compare("greater_equal", a, b, [](auto x, auto y) { return x >= y; });
}

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return combine("logical_and", a, b, [](bool x, bool y) { return x & y; });
}

Tensor logical_or(const Tensor& a, const Tensor& b) {
  return combine("logical_or", a, b, [](bool x, bool y) { return x | y; });
}

Tensor logical_not(const Tensor& a) {
  check_booleans("logical_not", a);
  Array out(a.shape(), DType::boolean);
  map_range<bool>(
      out.elements(), out.mutable_data<bool>(), [](bool x) { return !x; }, a.value().data<bool>());
  return out;
}

bool any(const Tensor& condition) { return holds("any", condition, true); }
bool all(const Tensor& condition) { return !holds("all", condition, false); }

Tensor any(const Tensor& condition, int axis, bool keep) {
  return reduce("any", condition, axis, keep, true);
}

Tensor all(const Tensor& condition, int axis, bool keep) {
  return reduce("all", condition, axis, keep, false);
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  ATTUNE_CHECK(a.dtype() == b.dtype(),
               "where: dtypes differ: {} {} and {} {}; convert one with to()", name_of(a.dtype()),
               a.shape(), name_of(b.dtype()), b.shape());
  const Array chosen = as_condition(condition.value());
  return record("where", choose(chosen, a.value(), b.value()), {a, b},
                [chosen = Saved(chosen)](Grads& g) {
                  const Array zero = Array::zeros(Shape{}, g.dy().dtype());
                  if (g.needs(0)) g.add(0, choose(*chosen, g.dy(), zero));
                  if (g.needs(1)) g.add(1, choose(*chosen, zero, g.dy()));
                });
}

Tensor where(const Tensor& condition, const Tensor& a, double b) {
  return where(condition, a, constant(b, a));
}

Tensor where(const Tensor& condition, double a, const Tensor& b) {
  return where(condition, constant(a, b), b);
}

Tensor masked_fill(const Tensor& x, const Tensor& mask, double value) {
  check_booleans("masked_fill", mask);
  ATTUNE_CHECK(broadcast(x.shape(), mask.shape(), "masked_fill") == x.shape(),
               "masked_fill: the mask {} does not broadcast to x {}", mask.shape(), x.shape());
  return where(mask, value, x);
}

}  // namespace attune
