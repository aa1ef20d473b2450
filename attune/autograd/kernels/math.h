#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

/// exp, tanh and sigmoid without branches or calls for float32, so that loops over them become SIMD
/// code; within 2 units in the last place. float64 goes to the C++ library: it checks gradients,
/// where exactness counts and speed does not.
namespace attune::math {

namespace detail {

/// x = n ln 2 + r with |r| <= ln 2 / 2, and expm1(r).
struct ExpParts {
  float n;    ///< a whole number
  float em1;  ///< exp(r) - 1
};

inline ExpParts split_exp(float x) {
  constexpr float kLog2e = 1.44269504f, kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const float n = (x * kLog2e + kRound) - kRound;
  const float r = (x - n * kLn2High) - n * kLn2Low;
  // exp(r) = 1 + r + r^2 q(r); q fitted on [-ln 2 / 2, ln 2 / 2], error of exp(r) below 7e-9.
  float q = 1.394111518e-3f;
  q = q * r + 8.366780171e-3f;
  q = q * r + 4.166635303e-2f;
  q = q * r + 1.666654101e-1f;
  q = q * r + 5.000000047e-1f;
  return {n, r + r * r * q};
}

/// 2^n for a whole number n in [-126, 127].
inline float power_of_two(float n) {
  return std::bit_cast<float>((static_cast<std::int32_t>(n) + 127) << 23);
}

}  // namespace detail

inline float exp(float x) {
  // Beyond these the result is infinite, or too small for a normal number and taken as 0.
  constexpr float kHighest = 88.7228394f, kLowest = -87.3365479f;
  const float inside = x < kLowest ? kLowest : (x > kHighest ? kHighest : x);
  const auto [n, em1] = detail::split_exp(inside);
  // In two steps, since 2^128 alone would overflow where the product does not.
  const float half = (n * 0.5f + 12582912.0f) - 12582912.0f;
  const float y = (1.0f + em1) * detail::power_of_two(half) * detail::power_of_two(n - half);
  const float low = x < kLowest ? 0.0f : y;
  const float high = x > kHighest ? HUGE_VALF : low;
  return x != x ? x : high;
}

/// tanh |x| = e / (e + 2) with e = exp(2|x|) - 1, which loses nothing near 0.
inline float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float inside = magnitude > 9.02f ? 9.02f : magnitude;  // tanh is 1 from here on
  const auto [n, em1] = detail::split_exp(2 * inside);
  const float power = detail::power_of_two(n);
  const float e = power * em1 + (power - 1.0f);
  const float y = std::copysign(e / (e + 2.0f), x);
  return x != x ? x : y;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

inline double exp(double x) { return std::exp(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace attune::math
