#include <cmath>
#include <limits>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"
#include "attune/optim/clip.h"
#include "catch.h"

using namespace attune;

namespace {

Tensor with_gradient(const std::vector<double>& gradient) {
  const Shape shape{static_cast<std::int64_t>(gradient.size())};
  Tensor tensor = Tensor::parameter(Array::zeros(shape, DType::f64));
  tensor.backward(Array::from(gradient, shape));
  return tensor;
}

}  // namespace

TEST_CASE("clipping by norm scales all gradients by one factor") {
  const Tensor a = with_gradient({3, 0}), b = with_gradient({-4});
  const Tensor without = Tensor::parameter(Array::zeros({2}));
  REQUIRE(clip_grad_norm({a, without, b}, 1) == 5);
  REQUIRE(a.grad().at(0) == Approx(3 / (5 + 1e-6)).epsilon(1e-12));
  REQUIRE(a.grad().at(1) == 0);
  REQUIRE(b.grad().at(0) == Approx(-4 / (5 + 1e-6)).epsilon(1e-12));
  REQUIRE_FALSE(without.grad().defined());
}

TEST_CASE("clipping by norm leaves small gradients as they are") {
  const Tensor a = with_gradient({3, -4});
  REQUIRE(clip_grad_norm({a}, 5.1) == 5);
  REQUIRE(a.grad().to_vector<double>() == std::vector<double>{3, -4});
}

TEST_CASE("clipping by norm reports NaN and infinity and changes nothing") {
  const double infinity = std::numeric_limits<double>::infinity();
  const Tensor a = with_gradient({7, -infinity}), b = with_gradient({NAN, 7});
  REQUIRE(clip_grad_norm({a}, 1) == infinity);
  REQUIRE(std::isnan(clip_grad_norm({a, b}, 1)));
  REQUIRE(a.grad().at(0) == 7);
  REQUIRE(b.grad().at(1) == 7);
}

TEST_CASE("clipping by norm adds up float32 gradients in float64") {
  // 0.1f^2 summed 10,000,000 times in float32 would be wrong in the second digit.
  Tensor tensor = Tensor::parameter(Array::zeros({10'000'000}));
  tensor.backward(Array::full({10'000'000}, 0.1f));
  const double expected = std::sqrt(1e7) * static_cast<double>(0.1f);
  REQUIRE(clip_grad_norm({tensor}, 1e9) == Approx(expected).epsilon(1e-12));
}

TEST_CASE("clipping has the same bits for 1, 2, 3 and 8 threads") {
  const int before = threads();
  double norm = 0;
  std::vector<float> clipped;
  for (const int count : {1, 2, 3, 8}) {
    set_threads(count);
    Array gradient({321, 457});
    Generator(5).normal(gradient, 0, 1);
    Tensor tensor = Tensor::parameter(Array::zeros(gradient.shape()));
    tensor.backward(gradient);
    const double found = clip_grad_norm({tensor}, 1);
    if (count == 1) {
      norm = found;
      clipped = tensor.grad().to_vector();
    }
    CHECK(found == norm);
    CHECK(tensor.grad().to_vector() == clipped);
  }
  set_threads(before);
}

TEST_CASE("clipping by value clamps each element to the limits") {
  const Tensor a = with_gradient({-3, -0.5, 0, 0.25, 8, NAN});
  clip_grad_value({a, Tensor::parameter(Array::zeros({2}))}, 0.5);
  const std::vector<double> clipped = a.grad().to_vector<double>();
  REQUIRE(std::vector<double>(clipped.begin(), clipped.end() - 1) ==
          std::vector<double>{-0.5, -0.5, 0, 0.25, 0.5});
  REQUIRE(std::isnan(clipped.back()));
}

TEST_CASE("clipping rejects limits that are not positive") {
  REQUIRE_THROWS_WITH(clip_grad_norm({}, 0), contains("max_norm is 0"));
  REQUIRE_THROWS_WITH(clip_grad_value({}, -1), contains("the limit is -1"));
  REQUIRE_THROWS_WITH(clip_grad_norm({}, NAN), contains("max_norm is nan"));
}
