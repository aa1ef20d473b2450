// Operations outside of the library, with nothing but this header.
#include "attune/extend.h"

#include "catch.h"

using namespace attune;

namespace {

// x sigmoid(beta x) (Ramachandran et al. 2017).
Tensor swish(const Tensor& x, double beta) {
  Array y = map("swish", x.value(),
                [beta](auto v) { return v * math::sigmoid(static_cast<decltype(v)>(beta) * v); });
  return record("swish", std::move(y), {x}, [beta, x = Saved(x)](Grads& g) {
    g.add(0, map("swish", g.dy(), *x, [beta](auto d, auto v) {
            const auto b = static_cast<decltype(v)>(beta);
            const auto s = math::sigmoid(b * v);
            return d * (s + b * v * s * (1 - s));
          }));
  });
}

// a + t (b - a), where all three broadcast.
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& t) {
  Array y = map("lerp", a.value(), b.value(), t.value(),
                [](auto a, auto b, auto t) { return a + t * (b - a); });
  return record(
      "lerp", std::move(y), {a, b, t}, [a = Saved(a), b = Saved(b), t = Saved(t)](Grads& g) {
        if (g.needs(0))
          g.add(0, map("lerp", g.dy(), *t, [](auto d, auto t) { return d * (1 - t); }));
        if (g.needs(1)) g.add(1, map("lerp", g.dy(), *t, [](auto d, auto t) { return d * t; }));
        if (g.needs(2))
          g.add(2, map("lerp", g.dy(), *a, *b, [](auto d, auto a, auto b) { return d * (b - a); }));
      });
}

// x / sqrt(mean of x^2 along the last axis) (Zhang and Sennrich 2019), from a reduction and map().
Tensor rms_norm(const Tensor& x) {
  const Array power = mean(square(x.value()), -1, true).value();
  const auto scale = [](auto v, auto p) { return v / std::sqrt(p); };
  Array y = map("rms_norm", x.value(), power, scale);
  return record("rms_norm", y, {x}, [scale, power, y = Saved(y)](Grads& g) {
    const Array share = mean(Tensor(g.dy()) * *y, -1, true).value();
    const Array dx = map("rms_norm", g.dy(), *y, share,
                         [](auto d, auto y, auto share) { return d - y * share; });
    g.add(0, map("rms_norm", dx, power, scale));
  });
}

// The sum of each row: a user-defined parallel loop.
Array row_sums(const Array& x) {
  Array sums({x.shape()[0]}, x.dtype());
  const std::int64_t n = x.shape()[1];
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.data<T>();
    T* to = sums.mutable_data<T>();
    parallel_for(x.shape()[0], row_grain(n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        to[row] = 0;
        for (std::int64_t i = 0; i < n; ++i) to[row] += from[row * n + i];
      }
    });
  });
  return sums;
}

Array some(const Shape& shape, std::uint64_t seed) {
  Array x(shape, DType::f64);
  Generator(seed).uniform(x, -1, 1);
  return x;
}

using Operands = std::vector<Tensor>;

}  // namespace

TEST_CASE("a user-defined operation has the correct gradient") {
  const auto check = [](const std::function<Tensor(const Operands&)>& f,
                        const std::vector<Array>& inputs) {
    const GradcheckResult result = gradcheck(f, inputs);
    INFO(result.message);
    CHECK(result.ok);
  };
  check([](const Operands& x) { return swish(x[0], 1.3); }, {some({3, 7}, 1)});
  check([](const Operands& x) { return rms_norm(x[0]); }, {some({3, 5}, 2)});
  // Each operand moves, or stays, along each axis.
  for (const Shape& a : {Shape{3, 1, 5}, Shape{4, 1}, Shape{}, Shape{3, 4, 5}})
    for (const Shape& b : {Shape{4, 1}, Shape{5}, Shape{3, 4, 5}})
      for (const Shape& t : {Shape{1, 5}, Shape{3, 1, 1}, Shape{3, 4, 5}})
        check([](const Operands& x) { return lerp(x[0], x[1], x[2]); },
              {some(a, 3), some(b, 4), some(t, 5)});
}

TEST_CASE("map() of three operands broadcasts like two operations of two") {
  for (const Shape& a : {Shape{3, 1, 515}, Shape{4, 1}, Shape{3, 4, 515}})
    for (const Shape& b : {Shape{515}, Shape{3, 1, 1}, Shape{3, 4, 515}})
      for (const Shape& c : {Shape{}, Shape{4, 515}, Shape{3, 4, 515}}) {
        const Tensor x = some(a, 1).to(DType::f32), y = some(b, 2).to(DType::f32),
                     z = some(c, 3).to(DType::f32);
        const Array sum = map("f", x.value(), y.value(), z.value(),
                              [](auto x, auto y, auto z) { return (x + y) + z; });
        const Tensor expected = (x + y) + z;
        REQUIRE(sum.shape() == expected.shape());
        REQUIRE(all(equal(sum, expected)));
      }
}

TEST_CASE("map() with a function that returns bool gives booleans") {
  const Array x = some({5, 300}, 1).to(DType::f32);
  const Array inside = map("inside", x, [](auto v) { return v > -1 && v < 1; });
  CHECK(inside.dtype() == DType::boolean);
  CHECK(all(inside));
  const Array low = map("low", x, x, x, [](auto a, auto b, auto c) { return a + b + c < 0; });
  CHECK(low.to_vector<bool>() == less(Tensor(x), 0).value().to_vector<bool>());
}

TEST_CASE("map names the operation in its errors") {
  const Tensor x = Array::from({1, 2, 3}), y = Array::from({1, 2});
  const auto three = [](auto a, auto, auto) { return a; };
  CHECK_THROWS_WITH(map("lerp", x.value(), y.value(), x.value(), three),
                    contains("lerp: shapes do not broadcast"));
  CHECK_THROWS_WITH(map("lerp", x.value(), x.value(), x.value().to(DType::f64), three),
                    contains("lerp: dtypes differ: f32 [3] and f64 [3]"));
  CHECK_THROWS_WITH(swish((x > 1), 1), contains("swish: an operand of shape [3] holds booleans"));
}

TEST_CASE("user-defined loops are bitwise equal for any number of threads") {
  const int before = threads();
  const Array x = some({501, 1003}, 6).to(DType::f32);
  set_threads(1);
  const std::vector<float> alone = row_sums(x).to_vector(), once = swish(x, 2).value().to_vector();
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    CHECK(row_sums(x).to_vector() == alone);
    CHECK(swish(x, 2).value().to_vector() == once);
  }
  set_threads(before);
}
