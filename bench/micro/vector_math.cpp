#include <benchmark/benchmark.h>

#include <cmath>
#include <numbers>
#include <string>

#include "attune/autograd/array/random.h"
#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/math.h"
#include "bench/micro/micro.h"

using namespace attune;

namespace {

constexpr std::int64_t kNumbers = 4096;  // input and output stay in cache

void count_numbers(benchmark::State& state) {
  // Printed as a time: 0.2n is 0.2 ns per number.
  state.counters["s/number"] =
      benchmark::Counter(static_cast<double>(state.iterations() * kNumbers),
                         benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

Array numbers(double low, double high) {
  Array x(Shape{kNumbers});
  Generator(1).uniform(x, low, high);
  return x;
}

// Registers a function twice: Attune's version in Attune's loop, and the C library's in a plain
// loop.
template <typename Ours, typename Theirs>
void compare(const std::string& name, double low, double high, Ours ours, Theirs theirs) {
  benchmark::RegisterBenchmark(("math/" + name + "/attune").c_str(), [=](benchmark::State& state) {
    const Array x = numbers(low, high);
    Array y(Shape{kNumbers});
    for (auto _ : state) {
      map_range<float>(kNumbers, y.mutable_data<float>(), ours, x.data<float>());
      benchmark::ClobberMemory();
    }
    count_numbers(state);
  });
  benchmark::RegisterBenchmark(("math/" + name + "/libm").c_str(), [=](benchmark::State& state) {
    const Array x = numbers(low, high);
    Array y(Shape{kNumbers});
    const float* from = x.data<float>();
    float* to = y.mutable_data<float>();
    for (auto _ : state) {
      for (std::int64_t i = 0; i < kNumbers; ++i) to[i] = theirs(from[i]);
      benchmark::ClobberMemory();
    }
    count_numbers(state);
  });
}

}  // namespace

void register_vector_math() {
  using F = float;
  compare(
      "exp", -10, 10, [](F x) { return math::exp(x); }, [](F x) { return std::exp(x); });
  compare(
      "tanh", -4, 4, [](F x) { return math::tanh(x); }, [](F x) { return std::tanh(x); });
  compare(
      "sigmoid", -10, 10, [](F x) { return math::sigmoid(x); },
      [](F x) { return 1 / (1 + std::exp(-x)); });
  compare(
      "log", 0.01, 100, [](F x) { return math::log(x); }, [](F x) { return std::log(x); });
  compare(
      "softplus", -10, 10, [](F x) { return math::softplus(x); },
      [](F x) { return (x < 0 ? 0 : x) + std::log1p(std::exp(-std::fabs(x))); });
  compare(
      "gelu", -4, 4, [](F x) { return math::gelu(x); },
      [](F x) { return x * 0.5f * std::erfc(-x * (std::numbers::sqrt2_v<F> / 2)); });
}
