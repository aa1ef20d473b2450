#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "attune/autograd/all.h"
#include "attune/autograd/kernels/math.h"
#include "catch.h"

using namespace attune;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Steps from one float to the other.
std::int64_t distance(float a, float b) {
  const auto rank = [](float x) {
    const auto bits = std::bit_cast<std::int32_t>(x);
    return bits < 0 ? -static_cast<std::int64_t>(bits & 0x7fffffff) : std::int64_t{bits};
  };
  return std::llabs(rank(a) - rank(b));
}

// Finite floats of all magnitudes and both signs, at even distances of their bit patterns.
Array all_floats() {
  std::vector<float> values;
  for (std::uint32_t bits = 0; bits < 0x7f800000; bits += 997) {
    values.push_back(std::bit_cast<float>(bits));
    values.push_back(-values.back());
  }
  return Array::from(values, {static_cast<std::int64_t>(values.size())});
}

// The largest distance over all floats between an operation, as the library runs it, and the C++
// library in double precision. Results below the smallest normal number may be 0.
std::int64_t worst(Tensor (*op)(const Tensor&), double (*exact)(double)) {
  static const Array x = all_floats();
  const Array y = op(x).value();
  std::int64_t largest = 0;
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    const double expected = exact(x.data<float>()[i]);
    if (std::isnan(expected)) {
      REQUIRE(std::isnan(y.data<float>()[i]));
      continue;
    }
    if (std::fabs(expected) < std::numeric_limits<float>::min()) {
      REQUIRE(std::fabs(y.data<float>()[i]) <= 1.2e-38f);
      continue;
    }
    largest = std::max(largest, distance(y.data<float>()[i], static_cast<float>(expected)));
  }
  return largest;
}

}  // namespace

TEST_CASE("exp of float32 is within 2 units in the last place") {
  CHECK(worst(exp, std::exp) <= 2);
  CHECK(math::exp(0.0f) == 1);
  CHECK(math::exp(kInfinity) == kInfinity);
  CHECK(math::exp(-kInfinity) == 0);
  CHECK(math::exp(89.0f) == kInfinity);
  CHECK(math::exp(-104.0f) == 0);
  CHECK(std::isnan(math::exp(std::nanf(""))));
}

TEST_CASE("exp_to_88 has the bits of exp") {
  for (float x = 88.0f; x > -110.0f; x -= 0.00037f) {
    INFO("x = " << x);
    REQUIRE(math::exp_to_88(x) == math::exp(x));
  }
  for (float x = 1.0f; x > 0; x /= 3) REQUIRE(math::exp_to_88(-x) == math::exp(-x));
  CHECK(math::exp_to_88(-kInfinity) == 0);
  CHECK(std::isnan(math::exp_to_88(std::nanf(""))));
}

TEST_CASE("tanh of float32 is within 2 units in the last place") {
  CHECK(worst(tanh, std::tanh) <= 2);
  CHECK(math::tanh(kInfinity) == 1);
  CHECK(math::tanh(-kInfinity) == -1);
  CHECK(std::signbit(math::tanh(-0.0f)));
  CHECK(std::isnan(math::tanh(std::nanf(""))));
}

TEST_CASE("elu of float32 is within 3 units in the last place") {
  CHECK(worst(elu, [](double x) { return x > 0 ? x : std::expm1(x); }) <= 3);
  CHECK(math::elu(kInfinity) == kInfinity);
  CHECK(math::elu(-kInfinity) == -1);
  CHECK(std::isnan(math::elu(std::nanf(""))));
}

TEST_CASE("sigmoid of float32 is within 3 units in the last place") {
  CHECK(worst(sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }) <= 3);
  CHECK(math::sigmoid(0.0f) == 0.5f);
  CHECK(math::sigmoid(kInfinity) == 1);
  CHECK(math::sigmoid(-kInfinity) == 0);
  CHECK(std::isnan(math::sigmoid(std::nanf(""))));
}

TEST_CASE("log of float32 is within 2 units in the last place") {
  CHECK(worst(log, std::log) <= 2);
  CHECK(math::log(1.0f) == 0);
  CHECK(math::log(kInfinity) == kInfinity);
  CHECK(math::log(0.0f) == -kInfinity);
  CHECK(math::log(-0.0f) == -kInfinity);
  CHECK(math::log(std::bit_cast<float>(1)) == Approx(-149 * std::log(2)));
  CHECK(std::isnan(math::log(-1e-45f)));
  CHECK(std::isnan(math::log(-kInfinity)));
  CHECK(std::isnan(math::log(std::nanf(""))));
}

TEST_CASE("softplus of float32 is within 3 units in the last place") {
  CHECK(worst(softplus, [](double x) {
          return x < 0 ? std::log1p(std::exp(x)) : x + std::log1p(std::exp(-x));
        }) <= 3);
  CHECK(math::softplus(0.0f) == Approx(std::log(2)));
  CHECK(math::softplus(kInfinity) == kInfinity);
  CHECK(math::softplus(-kInfinity) == 0);
  CHECK(std::isnan(math::softplus(std::nanf(""))));
}

TEST_CASE("gelu of float32 is within 8 units in the last place, including its tail") {
  CHECK(worst(gelu, math::gelu) <= 8);
  CHECK(math::gelu(0.0f) == 0);
  CHECK(math::gelu(kInfinity) == kInfinity);
  CHECK(math::gelu(-kInfinity) == 0);  // the limit
  CHECK(std::isnan(math::gelu(std::nanf(""))));
}

TEST_CASE("the slope of gelu in float32 is within 3e-7") {
  for (float x = -15; x < 15; x += 1e-3f)
    REQUIRE(std::fabs(math::gelu_slope(x) - math::gelu_slope(double{x})) <= 3e-7);
  CHECK(math::gelu_slope(kInfinity) == 1);
  CHECK(math::gelu_slope(-kInfinity) == 0);
  CHECK(std::isnan(math::gelu_slope(std::nanf(""))));
}

TEST_CASE("float64 uses the math functions of the C++ library") {
  for (const double x : {-700.0, -1.5, 0.0, 1e-9, 0.3, 20.0}) {
    CHECK(math::exp(x) == std::exp(x));
    CHECK(math::tanh(x) == std::tanh(x));
    CHECK(math::sigmoid(x) == 1 / (1 + std::exp(-x)));
    CHECK(math::log(x * x) == std::log(x * x));
    CHECK(math::softplus(x) == (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))));
    CHECK(math::gelu(x) == Approx(x * (1 + std::erf(x / std::sqrt(2.0))) / 2).margin(1e-15));
  }
}
