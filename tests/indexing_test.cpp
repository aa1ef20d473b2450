#include <cmath>
#include <limits>

#include "attune/autograd/all.h"
#include "catch.h"
#include "golden.h"

using namespace attune;

namespace {

using V = std::vector<float>;
using Ints = std::vector<std::int32_t>;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

V values(const Tensor& x) { return x.value().to_vector<float>(); }
const Tensor& counted() {
  static const Tensor x = Array::from({0, 1, 2, 3, 4});
  return x;
}

}  // namespace

TEST_CASE("arrays are written in nested braces") {
  CHECK(Array::from({1, 2, 3}).shape() == Shape{3});
  CHECK(Array::from({{1, 2, 3}}).shape() == Shape{1, 3});
  CHECK(Array::from({{1}, {2}, {3}}).shape() == Shape{3, 1});
  const Array x = Array::from({{{1, 2}, {3, 4}}, {{5, 6}, {7, 8.5}}}, DType::f64);
  CHECK(x.shape() == Shape{2, 2, 2});
  CHECK(x.to_vector<double>() == std::vector<double>{1, 2, 3, 4, 5, 6, 7, 8.5});
  CHECK(Array::from(7).shape() == Shape{});
  CHECK_THROWS_WITH(Array::from({{1, 2}, {3}}),
                    contains("nested braces hold parts of shapes [2] and [1]; all must be equal"));
}

TEST_CASE("an index counts from the end if it is negative") {
  const Tensor x = Tensor::parameter(Array::from({{1, 2}, {3, 4}, {5, 6}}));
  CHECK(values(x[-1]) == V{5, 6});
  CHECK(values(x[-3]) == V{1, 2});
  sum(x[-1] * 2 + x[1]).backward();
  CHECK(x.grad().to_vector() == V{0, 0, 1, 1, 2, 2});
  CHECK_THROWS_WITH(x[-4], "index: -4 is outside the leading axis of [3, 2]; use -3 to 2");
}

TEST_CASE("slices accept NumPy's positions and steps") {
  const Tensor& x = counted();
  CHECK(values(slice(x, 0, 1, -1)) == V{1, 2, 3});
  CHECK(values(slice(x, 0, -2, 5)) == V{3, 4});
  CHECK(values(slice(x, 0, 1, -1, 2)) == V{1, 3});
  CHECK(values(slice(x, 0, -100, 100, 2)) == V{0, 2, 4});
  CHECK(values(slice(x, 0, kEnd, kEnd, -1)) == V{4, 3, 2, 1, 0});
  CHECK(values(slice(x, 0, kEnd, kEnd, -2)) == V{4, 2, 0});
  CHECK(values(slice(x, 0, 3, 0, -1)) == V{3, 2, 1});
  CHECK(values(slice(x, 0, 100, -100, -3)) == V{4, 1});
  CHECK(values(slice(x, 0, 2, kEnd, std::numeric_limits<std::int64_t>::max())) == V{2});
  CHECK(values(slice(x, 0, 2, kEnd, std::numeric_limits<std::int64_t>::min())) == V{2});
  CHECK(values(slice(x, 0, 0, kEnd, 1)) == values(x));
  CHECK(slice(x, 0, 3, 1, 2).shape() == Shape{0});
  CHECK(slice(x, 0, 1, 3, -1).shape() == Shape{0});
  CHECK(slice(x, 0, 9, kEnd, 2).shape() == Shape{0});
  CHECK(slice(Array({0, 3}), 0, kEnd, kEnd, -1).shape() == Shape{0, 3});
  CHECK(slice(Array({2, 3, 0}), 1, 0, kEnd, 2).shape() == Shape{2, 2, 0});
}

TEST_CASE("squeeze and unsqueeze are views") {
  const Tensor x = Array({3, 1, 2, 1});
  CHECK(squeeze(x).shape() == Shape{3, 2});
  CHECK(squeeze(x, -1).shape() == Shape{3, 1, 2});
  CHECK(unsqueeze(x[0], 0).shape() == Shape{1, 1, 2, 1});
  CHECK(unsqueeze(x[0], -1).shape() == Shape{1, 2, 1, 1});
  CHECK(unsqueeze(Array(Shape{}), -1).shape() == Shape{1});
  CHECK(squeeze(x).value().shares_memory_with(x.value()));
  CHECK(unsqueeze(x, 2).value().shares_memory_with(x.value()));
}

TEST_CASE("sorting is stable and places NaN after all numbers") {
  const Tensor x = Array::from({2, kNan, 1, 2, -1, 2});
  const auto [up, up_indices] = sort(x);
  CHECK(up_indices.to_vector() == Ints{4, 2, 0, 3, 5, 1});
  CHECK(values(slice(up, 0, 0, 5)) == V{-1, 1, 2, 2, 2});
  CHECK(sort(x, 0, true).indices.to_vector() == Ints{1, 0, 3, 5, 2, 4});
  CHECK(topk(x, 3).indices.to_vector() == Ints{1, 0, 3});
  CHECK(topk(x, 2, 0, false).indices.to_vector() == Ints{4, 2});
  CHECK(topk(x, 0).values.shape() == Shape{0});
  CHECK(sort(Array({2, 0})).values.shape() == Shape{2, 0});
  CHECK_THROWS_WITH(topk(x, 7), contains("topk: k is 7, but axis 0 of [6] has 6 elements"));
}

TEST_CASE("argmin returns the first of equal elements") {
  CHECK(argmin(Array::from({{3, 1, 1}, {0, 0, 2}})).to_vector() == Ints{1, 0});
  CHECK(argmin(Array::from({{3, 1, 1}, {0, 0, 2}}), 0).to_vector() == Ints{1, 1, 0});
  CHECK(argmin(Array::from({1, kNan, 0})).to_vector() == Ints{1});
  CHECK_THROWS_WITH(argmin(Array({2, 0})), contains("argmin"));
}

TEST_CASE("reductions accept any set of axes, in any order, including none") {
  const Tensor x = Array::full({2, 3, 4}, 1);
  CHECK(sum(x, {0, 2}).value().to_vector() == V{8, 8, 8});
  CHECK(sum(x, {2, 0}, true).shape() == Shape{1, 3, 1});
  CHECK(sum(x, {-1, -2, -3}).item() == 24);
  CHECK(sum(x, std::vector<int>{}).shape() == x.shape());
  CHECK(var(Array::from({1, 2, 3, 4}), {0}).item() == Approx(5.0 / 3));
  CHECK(var(Array::from({1, 2, 3, 4}), {0}, false, 0).item() == Approx(1.25));
  CHECK(sum(Array({0, 3, 0}), {0, 2}).value().to_vector() == V{0, 0, 0});
  CHECK_THROWS_WITH(max(Array({0, 3, 0}), {0, 2}), contains("max: nothing to reduce"));
}

TEST_CASE("logcumsumexp gives PyTorch's values and gradients", "[golden]") {
  for (const auto& [name, axis] : {std::pair{"first", 0}, {"last", -1}}) {
    const Golden golden =
        read_golden("operations", fmt::format("logcumsumexp over the {} axis", name));
    const Tensor x = Tensor::parameter(golden.inputs.at("x")),
                 far = Tensor::parameter(golden.inputs.at("far"));
    CHECK(difference(golden, {{"y", logcumsumexp(x, axis)}, {"far", logcumsumexp(far, axis)}},
                     {{"x", x}, {"far", far}}) == "");
  }
}

TEST_CASE("logcumsumexp propagates infinities and NaN as PyTorch does") {
  const auto of = [](const Nested& x) { return logcumsumexp(Array::from(x), 0).value(); };
  CHECK(of({-kInf, -kInf, 0.5, -kInf}).to_vector() == V{-kInf, -kInf, 0.5, 0.5});
  CHECK(of({1, kInf, 2, kInf}).to_vector() == V{1, kInf, kInf, kInf});
  CHECK(of({1000, 1000}).at(1) == Approx(1000 + std::log(2)));
  CHECK(of({1, kNan, 2}).at(0) == 1);
  CHECK(std::isnan(of({1, kNan, 2}).at(1)));
  CHECK(std::isnan(of({1, kNan, kInf}).at(2)));
  CHECK(logcumsumexp(Array({0}), 0).shape() == Shape{0});
  const Tensor x = Tensor::parameter(Array::from({-kInf, -kInf, 0, -kInf, 0}));
  sum(logcumsumexp(x, 0) * Array::from({0, 0, 1, 1, 2})).backward();
  CHECK(x.grad().to_vector() == V{0, 0, 3, 0, 1});
}

TEST_CASE("running sums are exact where float32 accumulation is not") {
  const Tensor ones = Array::full({20'000'000}, 1);
  CHECK(cumsum(ones, 0).value().at(19'999'999) == 20'000'000);
  CHECK(cumsum(Array({0}), 0).shape() == Shape{0});
}
