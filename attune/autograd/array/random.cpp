#include "attune/autograd/array/random.h"

#include <cmath>
#include <numbers>

#include "attune/autograd/array/parallel.h"

namespace attune {
namespace {

// [0, 1) with 24 bits, exact in float32; with 53 bits for float64.
float unit(std::uint32_t bits, float) { return static_cast<float>(bits >> 8) * 0x1p-24f; }
double unit(std::uint32_t high, std::uint32_t low, double) {
  const std::uint64_t bits = (std::uint64_t{high} << 32 | low) >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

// Four numbers of [0, 1) for float32, two for float64.
void units(const std::array<std::uint32_t, 4>& bits, std::array<float, 4>& out) {
  for (int i = 0; i < 4; ++i) out[i] = unit(bits[i], 0.0f);
}
void units(const std::array<std::uint32_t, 4>& bits, std::array<double, 2>& out) {
  out[0] = unit(bits[0], bits[1], 0.0);
  out[1] = unit(bits[2], bits[3], 0.0);
}

template <typename T>
constexpr int kPerCall = sizeof(T) == 4 ? 4 : 2;

// Calls fill(units, out, count) for each group of numbers that one philox call gives.
template <typename T, typename Fill>
void generate(Array& out, std::uint64_t seed, std::uint64_t draw, const Fill& fill) {
  constexpr int width = kPerCall<T>;
  const std::int64_t n = out.elements();
  T* data = out.data<T>();
  parallel_for((n + width - 1) / width, 2048, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t group = first; group < last; ++group) {
      std::array<T, width> numbers;
      units(philox(seed, draw, static_cast<std::uint64_t>(group)), numbers);
      fill(numbers, data + group * width, std::min<std::int64_t>(width, n - group * width));
    }
  });
  out.touch();
}

}  // namespace

std::array<std::uint32_t, 4> philox(std::uint64_t key, std::uint64_t stream, std::uint64_t index) {
  std::array<std::uint32_t, 4> x{
      static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
      static_cast<std::uint32_t>(stream), static_cast<std::uint32_t>(stream >> 32)};
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * x[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * x[2];
    x = {static_cast<std::uint32_t>(b >> 32) ^ x[1] ^ k0, static_cast<std::uint32_t>(b),
         static_cast<std::uint32_t>(a >> 32) ^ x[3] ^ k1, static_cast<std::uint32_t>(a)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return x;
}

void Generator::uniform(Array& out, double low, double high) {
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    const T last =
        std::nextafter(static_cast<T>(high), static_cast<T>(low));  // rounding may reach high
    generate<T>(out, seed_, draws_, [&](const auto& numbers, T* to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i)
        to[i] = std::min(last, static_cast<T>(low + (high - low) * numbers[i]));
    });
  });
  ++draws_;
}

void Generator::normal(Array& out, double mean, double deviation) {
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    generate<T>(out, seed_, draws_, [&](const auto& numbers, T* to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; i += 2) {
        const double radius = std::sqrt(-2 * std::log(1 - static_cast<double>(numbers[i])));
        const double angle = 2 * std::numbers::pi * numbers[i + 1];
        to[i] = static_cast<T>(mean + deviation * radius * std::cos(angle));
        if (i + 1 < count) to[i + 1] = static_cast<T>(mean + deviation * radius * std::sin(angle));
      }
    });
  });
  ++draws_;
}

void Generator::dropout_mask(Array& out, double p) {
  dispatch(out.dtype(), [&](auto type) {
    using T = decltype(type);
    const T kept = static_cast<T>(1 / (1 - p));
    generate<T>(out, seed_, draws_, [&](const auto& numbers, T* to, std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) to[i] = numbers[i] < p ? T{0} : kept;
    });
  });
  ++draws_;
}

double Generator::uniform() {
  const auto bits = philox(seed_, draws_++, 0);
  return unit(bits[0], bits[1], 0.0);
}

std::int64_t Generator::below(std::int64_t n) {
  ATTUNE_CHECK(n >= 1, "Generator::below: {} is not a positive bound", n);
  return static_cast<std::int64_t>(uniform() * static_cast<double>(n));
}

Generator& generator() {
  thread_local Generator current(0);
  return current;
}

}  // namespace attune
