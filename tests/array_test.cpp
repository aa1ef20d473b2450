#include <cstdint>

#include "attune/autograd/all.h"
#include "attune/autograd/array/pool.h"
#include "catch.h"

using namespace attune;

namespace {
using V = std::vector<float>;
Array counting(const Shape& shape) {
  Array x(shape);
  for (std::int64_t i = 0; i < x.elements(); ++i) x.set(i, static_cast<double>(i));
  return x;
}
}  // namespace

TEST_CASE("a shape has a rank, sizes counted from both ends and a number of elements") {
  const Shape shape{2, 3, 4};
  CHECK(shape.rank() == 3);
  CHECK(shape[1] == 3);
  CHECK(shape.last() == 4);
  CHECK(shape.last(2) == 2);
  CHECK(shape.elements() == 24);
  CHECK(shape.elements(1, 3) == 12);
  CHECK(Shape{}.elements() == 1);
  CHECK(Shape{3, 0}.elements() == 0);
  CHECK(shape.without(1) == Shape{2, 4});
  CHECK(shape.without(1, true) == Shape{2, 1, 4});
  CHECK(shape.with(0, 7) == Shape{7, 2, 3, 4});
  CHECK(shape.with(3, 7) == Shape{2, 3, 4, 7});
  CHECK_FALSE(Shape{2, 3} == Shape{2, 3, 1});
  CHECK(fmt::format("{} {}", shape, Shape{}) == "[2, 3, 4] []");
}

TEST_CASE("a shape counts negative axes from the end and rejects axes out of range") {
  const Shape shape{2, 3};
  CHECK(shape.axis(-1, "f") == 1);
  CHECK(shape.axis(1, "f") == 1);
  CHECK_THROWS_WITH(shape.axis(2, "f"),
                    "f: axis 2 is outside a tensor of shape [2, 3]; use -2 to 1");
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1, 1}), contains("8 axes; at most 7 are supported"));
  CHECK_THROWS_WITH((Shape{2, -2}), contains("axis 1 has the negative size -2"));
  CHECK_THROWS_WITH((Shape{1, 1, 1, 1, 1, 1, 1}.with(0, 2)), contains("has 7 axes already"));
}

TEST_CASE("shapes broadcast by NumPy's rules") {
  CHECK(broadcast({3, 1, 5}, {4, 1}, "f") == Shape{3, 4, 5});
  CHECK(broadcast({}, {2}, "f") == Shape{2});
  CHECK(broadcast({0, 1}, {1, 3}, "f") == Shape{0, 3});
  CHECK_THROWS_WITH(broadcast({2, 3}, {4, 3}, "f"),
                    contains("f: shapes do not broadcast: [2, 3] and [4, 3] differ in axis 2 from "
                             "the end (2 and 4)"));
}

TEST_CASE("reshape infers one size of -1 and shares memory") {
  const Array x = counting({2, 6});
  const Array y = x.reshape({3, -1});
  CHECK(y.shape() == Shape{3, 4});
  CHECK(y.shares_memory_with(x));
  CHECK(y.to_vector() == x.to_vector());
  CHECK_THROWS_WITH(x.reshape({-1, -1}), contains("[-1, -1] leaves 2 sizes open"));
  CHECK_THROWS_WITH(x.reshape({5, -1}), contains("12 elements of [2, 6] cannot be reshaped"));
  CHECK_THROWS_WITH(x.reshape({0, -1}), contains("cannot be reshaped"));
  CHECK_THROWS_WITH(x.reshape({7}), contains("[2, 6] has 12 elements and [7] has 7"));
}

TEST_CASE("blocks and entries of the leading axis are views") {
  const Array x = counting({4, 3});
  CHECK(x.block(1, 2).to_vector() == V{3, 4, 5, 6, 7, 8});
  CHECK(x[3].to_vector() == V{9, 10, 11});
  x[3].fill(0);
  CHECK(x.at(9) == 0);
  CHECK_THROWS_WITH(x[4], "index: 4 is outside the leading axis of [4, 3]; use -4 to 3");
  CHECK_THROWS_WITH(x.block(3, 2),
                    contains("2 rows from 3 on are outside the leading axis of [4, 3]"));
  CHECK_THROWS_WITH(Array::zeros({})[0], contains("a scalar has no leading axis"));
}

TEST_CASE("a clone does not share memory, and to() converts between dtypes") {
  const Array x = counting({3});
  Array copy = x.clone();
  copy.mutable_data<float>()[0] = 7;
  CHECK(x.at(0) == 0);
  const Array wide = x.to(DType::f64);
  CHECK(wide.dtype() == DType::f64);
  CHECK(wide.to_vector<double>() == std::vector<double>{0, 1, 2});
  CHECK(x.to(DType::f32).shares_memory_with(x));
}

TEST_CASE("in-place changes are counted, also through views") {
  Array x = counting({4, 3});
  const auto before = x.version();
  x.fill(1);
  x.assign(Array::full({4, 3}, 2, DType::f64));
  x.set(0, 5);
  x[2].fill(3);
  CHECK(x.version() == before + 4);
  CHECK(x.at(0) == 5);
  CHECK(x.at(1) == 2);
  CHECK_THROWS_WITH(x.assign(counting({3})),
                    contains("assign: values of shape [3] do not fit an array of [4, 3]"));
}

TEST_CASE("item(), at(), data() and from() check their arguments") {
  CHECK(Array::full({1, 1}, 4).item() == 4);
  CHECK_THROWS_WITH(counting({2}).item(),
                    contains("item: a tensor of shape [2] is not one number"));
  CHECK_THROWS_WITH(Array().item(), contains("item:"));
  CHECK_THROWS_WITH(counting({2}).at(2), contains("2 is outside an array of 2 elements"));
  CHECK_THROWS_WITH(Array().data<float>(), contains("not defined"));
  CHECK_THROWS_WITH(Array::from<float>({1, 2, 3}, {2}), contains("3 values do not fill the shape"));
}

TEST_CASE("arrays are aligned to 64 bytes") {
  for (const std::int64_t n : {1, 3, 100, 1000, 12345})
    CHECK(reinterpret_cast<std::uintptr_t>(counting({n}).raw()) % pool::kAlignment == 0);
}

TEST_CASE("indices have a shape, and views without copies") {
  const Indices ids(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}, {3, 2});
  CHECK(ids[1].to_vector() == std::vector<std::int32_t>{3, 4});
  CHECK(ids.block(1, 2).shape() == Shape{2, 2});
  CHECK(ids.block(1, 2).data() == ids.data() + 2);
  CHECK(ids.reshape({6}).at(5) == 6);
  CHECK_FALSE(Indices().defined());
  CHECK_THROWS_WITH(ids[3], contains("3 is outside the leading axis of [3, 2]"));
  CHECK_THROWS_WITH(ids.block(2, 2), contains("2 rows from 2 on are outside"));
  CHECK_THROWS_WITH(ids.reshape({5}), contains("[3, 2] cannot be reshaped to [5]"));
  CHECK_THROWS_WITH(Indices(std::vector<std::int32_t>{1}, {2}), contains("1 values do not fill"));
}

#if !defined(__SANITIZE_ADDRESS__)  // under it every block goes back to the system at once
TEST_CASE("a steady training loop allocates no system memory after its first steps") {
  Tensor w = Tensor::parameter(Array::full({64, 32}, 0.01));
  const Array x = Array::full({8, 16, 32}, 0.5);
  const auto step = [&] {
    w.zero_grad();
    const Tensor y = layer_norm(tanh(linear(x, w)), Array::full({64}, 1), Array::zeros({64}));
    (mean(square(softmax(y))) + sum(y[3] * 2)).backward();
    const NoGrad no_grad;
    w.value().assign((w - w.grad() * 0.1).value());
  };
  for (int i = 0; i < 3; ++i) step();
  const auto before = pool::statistics();
  for (int i = 0; i < 50; ++i) step();
  CHECK(pool::statistics().system_allocations == before.system_allocations);
  CHECK(pool::statistics().system_bytes == before.system_bytes);
}

TEST_CASE("trimming the pool returns free memory to the system") {
  { const Array x(Shape{1000000}); }
  const auto before = pool::statistics().system_bytes;
  pool::trim();
  CHECK(pool::statistics().system_bytes + 4000000 <= before);
}
#endif
