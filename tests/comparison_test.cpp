#include <cmath>
#include <limits>

#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

namespace {

using Bools = std::vector<bool>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

Bools bools(const Tensor& x) {
  REQUIRE(x.dtype() == DType::boolean);
  REQUIRE_FALSE(x.requires_grad());
  return x.value().to_vector<bool>();
}

Tensor booleans(std::initializer_list<double> values) {
  std::vector<double> numbers(values);
  return Array::from(numbers, {static_cast<std::int64_t>(numbers.size())}).to(DType::boolean);
}

}  // namespace

TEST_CASE("comparisons give booleans, which for NaN are false except not_equal") {
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Tensor a = Array::from({1, 2, 3, kNan}, dtype), b = Array::from({2, 2, 2, 2}, dtype);
    CHECK(bools(equal(a, b)) == Bools{false, true, false, false});
    CHECK(bools(not_equal(a, b)) == Bools{true, false, true, true});
    CHECK(bools(less(a, b)) == Bools{true, false, false, false});
    CHECK(bools(less_equal(a, b)) == Bools{true, true, false, false});
    CHECK(bools(greater(a, b)) == Bools{false, false, true, false});
    CHECK(bools(greater_equal(a, b)) == Bools{false, true, true, false});
    CHECK(bools(equal(a, 2)) == bools(equal(a, b)));
    CHECK(bools(not_equal(a, 2)) == bools(not_equal(a, b)));
    CHECK(bools(a < 2) == bools(a < b));
    CHECK(bools(a <= 2) == bools(a <= b));
    CHECK(bools(a > 2) == bools(a > b));
    CHECK(bools(a >= 2) == bools(a >= b));
  }
}

TEST_CASE("comparisons and logic broadcast") {
  const Tensor column = Array::from({{1}, {2}}), row = Array::from({1, 2, 3});
  CHECK(bools(column < row) == Bools{false, true, true, false, false, true});
  CHECK((column < row).shape() == Shape{2, 3});
  const Tensor outer = logical_and(column > 1, row > 1);
  CHECK(outer.shape() == Shape{2, 3});
  CHECK(bools(outer) == Bools{false, false, false, false, true, true});
  CHECK_THROWS_WITH(row < Array::from({1, 2}), contains("less: shapes do not broadcast"));
  CHECK_THROWS_WITH(row < Array::from({1}, DType::f64), contains("less: dtypes differ"));
  CHECK((Tensor(Array({0, 3})) < row).shape() == Shape{0, 3});
}

TEST_CASE("logical operations are correct for all pairs of truth values") {
  const Tensor a = booleans({0, 0, 1, 1}), b = booleans({0, 1, 0, 1});
  CHECK(bools(logical_and(a, b)) == Bools{false, false, false, true});
  CHECK(bools(logical_or(a, b)) == Bools{false, true, true, true});
  CHECK(bools(logical_not(a)) == Bools{true, true, false, false});
  CHECK_THROWS_WITH(logical_and(a, Array::from({1, 0, 1, 0})),
                    contains("logical_and: f32 [4] holds no booleans; compare it first"));
}

TEST_CASE("any() and all() reduce all elements or along an axis") {
  const Tensor x = Array::from({{0, 0, 1}, {0, 1, 1}}, DType::boolean);
  CHECK(any(x));
  CHECK_FALSE(all(x));
  CHECK(bools(any(x, 0)) == Bools{false, true, true});
  CHECK(bools(all(x, 0)) == Bools{false, false, true});
  CHECK(bools(any(x, -1)) == Bools{true, true});
  CHECK(all(x, 1, true).shape() == Shape{2, 1});
  const Tensor none = Array({0, 3}, DType::boolean);
  CHECK_FALSE(any(none));
  CHECK(all(none));
  CHECK(bools(all(none, 0)) == Bools{true, true, true});
  CHECK_THROWS_WITH(any(Array::from({1, 0})), contains("any: f32 [2] holds no booleans"));
}

TEST_CASE("arithmetic on booleans is an error with a hint") {
  const Tensor mask = booleans({1, 0, 1}), x = Array::from({1, 2, 3});
  const auto refused = contains("do not support arithmetic; choose with where()");
  CHECK_THROWS_WITH(x * mask, refused);
  CHECK_THROWS_WITH(mask + mask, contains("add: an operand of shape [3] holds booleans (b8)"));
  CHECK_THROWS_WITH(mask * 2, refused);
  CHECK_THROWS_WITH(exp(mask), contains("exp: an operand"));
  CHECK_THROWS_WITH(relu(mask), contains("relu: an operand"));
  CHECK_THROWS_WITH(mask < mask, contains("less: an operand"));
  const auto no_numbers = contains("are booleans (b8), but numbers are needed");
  CHECK_THROWS_WITH(sum(mask), no_numbers);
  CHECK_THROWS_WITH(mean(mask, 0), no_numbers);
  CHECK_THROWS_WITH(softmax(mask), no_numbers);
  CHECK_THROWS_WITH(cumsum(mask, 0), no_numbers);
  CHECK_THROWS_WITH(sort(mask), no_numbers);
  CHECK_THROWS_WITH(matmul(reshape(mask, {1, 3}), reshape(mask, {3, 1})), no_numbers);
  CHECK_THROWS_WITH(Tensor::parameter(mask.value()), contains("booleans of shape [3] have no"));
  CHECK_THROWS_WITH(mask.value().data<float>(), no_numbers);
  CHECK_THROWS_WITH(x.value().data<bool>(), contains("are f32, but b8 was requested"));
}

TEST_CASE("operations that move elements accept booleans") {
  const Tensor x = Array::from({{0, 0, 1}, {0, 1, 1}}, DType::boolean);
  CHECK(bools(transpose(x)) == Bools{false, false, false, true, true, true});
  CHECK(bools(x[-1]) == Bools{false, true, true});
  CHECK(bools(slice(x, 1, 1, 3)) == Bools{false, true, true, true});
  CHECK(bools(flip(x, 1)) == Bools{true, false, false, true, true, false});
  CHECK(bools(concat({x, x}, 1)).size() == 12);
  CHECK(bools(broadcast_to(x[0], {2, 3})) == Bools{false, false, true, false, false, true});
  CHECK(bools(take_along_axis(x, Indices{2, 0}.reshape({2, 1}), 1)) == Bools{true, false});
  CHECK(bools(where(x[0], x[1], logical_not(x[1]))) == Bools{true, false, true});
  const CheckFinite checked;
  CHECK(bools(stack({x[0], x[1]})) == bools(x));
}

TEST_CASE("booleans and numbers convert into each other") {
  const Array x = Array::from({0, -2, kNan, 0.5});
  CHECK(x.to(DType::boolean).to_vector<bool>() == Bools{false, true, true, true});
  CHECK(x.to(DType::boolean).to(DType::f64).to_vector<double>() == std::vector<double>{0, 1, 1, 1});
  CHECK(Array::from(Bools{true, false}, {2}).to_vector<float>() == std::vector<float>{1, 0});
  Array mask = Array::full({3}, 1, DType::boolean);
  CHECK(mask.bytes() == 3);
  mask.set(1, 0);
  CHECK(mask.at(1) == 0);
  CHECK(mask.to_vector<bool>() == Bools{true, false, true});
  CHECK(Array::zeros({2}, DType::boolean).to_vector<bool>() == Bools{false, false});
}

TEST_CASE("a condition has no gradient, and elements that are not selected may be NaN") {
  const Tensor x = Tensor::parameter(Array::from({-1, 2, kNan}));
  const Tensor y = where(x > 0, log(x), 0);
  CHECK(y.value().to_vector<float>() == std::vector<float>{0, std::log(2.0f), 0});
  const Tensor chosen = where(greater(x, 0), x, -1);
  chosen.backward(Array::from({3, 4, kNan}));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 4, 0});
}

TEST_CASE("elements hidden by masked_fill may be NaN, in values and gradients") {
  const Tensor x = Tensor::parameter(Array::from({{1, kNan}, {kNan, 4}}));
  const Tensor mask = Array::from({{0, 1}, {1, 0}}, DType::boolean);
  const Tensor y = masked_fill(x, mask, -7);
  CHECK(y.value().to_vector<float>() == std::vector<float>{1, -7, -7, 4});
  y.backward(Array::from({{1, kNan}, {kNan, 2}}));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{1, 0, 0, 2});
}
