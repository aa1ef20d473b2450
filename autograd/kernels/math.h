#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

/// Scalar functions. The float32 versions have no branches or calls, so that loops over them
/// compile to SIMD code; they are accurate to within 3 units in the last place for all inputs
/// (gelu: 8). The float64 versions call the C++ library: they serve gradient checks, where accuracy
/// matters and speed does not.
///
/// The polynomials were fitted to minimise the relative error of the results.
namespace attune::math {

namespace detail {

// ln 2 = kLn2High + kLn2Low; the product of an integer of up to 10 bits and kLn2High is exact.
inline constexpr float kLn2High = 0.693145752f, kLn2Low = 1.42860677e-6f;

/// The integer nearest to x.
inline float nearest(float x) {
  constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: sums near it have no fraction bits
  return (x + kRound) - kRound;
}

/// exp(r) - 1 for |r| <= ln 2 / 2.
inline float small_expm1(float r) {
  // exp(r) = 1 + r + r^2 q(r), error of exp(r) below 7e-9
  float q = 1.394111518e-3f;
  q = q * r + 8.366780171e-3f;
  q = q * r + 4.166635303e-2f;
  q = q * r + 1.666654101e-1f;
  q = q * r + 5.000000047e-1f;
  return r + r * r * q;
}

/// x split into n ln 2 + r with |r| <= ln 2 / 2.
struct ExpParts {
  float n;    ///< an integer
  float em1;  ///< exp(r) - 1
};

inline ExpParts split_exp(float x) {
  const float n = nearest(x * std::numbers::log2e_v<float>);
  return {n, small_expm1((x - n * kLn2High) - n * kLn2Low)};
}

/// The same for x + rest, a sum with more digits than float32 holds.
inline ExpParts split_exp(float x, float rest) {
  const float n = nearest((x + rest) * std::numbers::log2e_v<float>);
  return {n, small_expm1((x - n * kLn2High) - n * kLn2Low + rest)};
}

/// 2^n for an integer n in [-126, 127]; unspecified for NaN.
inline float power_of_two(float n) {
  constexpr float kRound = 12582912.0f;  // as in nearest(): the sum's low bits are n
  return std::bit_cast<float>((std::bit_cast<std::uint32_t>(n + kRound) + 127u) << 23);
}

/// log(1 + f) - f for f in [sqrt(1/2) - 1, sqrt(2) - 1].
inline float small_log1p_rest(float f) {
  // log(1 + f) = f - f^2 / 2 + f^3 p(f), error of log(1 + f) below 6e-9
  float p = -7.635021802e-2f;
  p = p * f + 1.276172574e-1f;
  p = p * f - 1.316005060e-1f;
  p = p * f + 1.420172608e-1f;
  p = p * f - 1.662336740e-1f;
  p = p * f + 2.000122882e-1f;
  p = p * f - 2.500082081e-1f;
  p = p * f + 3.333333167e-1f;
  return f * f * (f * p - 0.5f);
}

/// The upper tail of the standard normal distribution, P(X > a) = ratio * exp(-a^2 / 2), with the
/// exponential in parts.
struct NormalTail {
  ExpParts exponential;
  float ratio;
};

/// For a in [0, kTailEnd].
inline NormalTail normal_tail(float a) {
  // The 12 leading bits of a have an exact square; rounding a^2 would cost up to 80 units in the
  // last place.
  const float head = std::bit_cast<float>(std::bit_cast<std::uint32_t>(a) & 0xfffff000);
  const ExpParts exponential = split_exp(-0.5f * head * head, -0.5f * (a - head) * (a + head));
  // ratio (a + 3.5) is a smooth function of u = (a - 3.5) / (a + 3.5); error below 6e-9.
  const float scale = 1.0f / (a + 3.5f);
  const float u = 1.0f - 7.0f * scale;
  float q = 1.156861719e-4f;
  q = q * u + 4.312569986e-4f;
  q = q * u - 4.938742792e-4f;
  q = q * u - 3.181251878e-3f;
  q = q * u + 6.491251297e-3f;
  q = q * u + 1.740759797e-2f;
  q = q * u - 1.160526718e-1f;
  q = q * u + 3.154249621e-1f;
  q = q * u - 5.655617605e-1f;
  q = q * u + 7.444160752e-1f;
  return {exponential, q * scale};
}

/// Above this, the tail and a times the tail are smaller than any normal number.
inline constexpr float kTailEnd = 13.2f;

/// Below this, exp(x) would be subnormal and is 0.
inline constexpr float kLowestExponent = -87.3365479f;

}  // namespace detail

inline float exp(float x) {
  // Above kHighest the result overflows to infinity.
  constexpr float kHighest = 88.7228394f, kLowest = detail::kLowestExponent;
  const float inside = x < kLowest ? kLowest : (x > kHighest ? kHighest : x);
  const auto [n, em1] = detail::split_exp(inside);
  // 2^n in two factors, since 2^128 would overflow even where the result does not.
  const float half = (n * 0.5f + 12582912.0f) - 12582912.0f;
  const float y = (1.0f + em1) * detail::power_of_two(half) * detail::power_of_two(n - half);
  const float low = x < kLowest ? 0.0f : y;
  const float high = x > kHighest ? HUGE_VALF : low;
  return x != x ? x : high;
}

/// exp(x) for x up to 88, or NaN, with the same bits and half the work: nothing overflows.
inline float exp_to_88(float x) {
  constexpr float kLowest = detail::kLowestExponent;
  const auto [n, em1] = detail::split_exp(x < kLowest ? kLowest : x);
  const float y = (1.0f + em1) * detail::power_of_two(n);
  return x < kLowest ? 0.0f : y;
}

/// tanh |x| = e / (e + 2) with e = exp(2|x|) - 1, which is accurate near 0.
inline float tanh(float x) {
  const float magnitude = std::fabs(x);
  const float inside = magnitude > 9.02f ? 9.02f : magnitude;  // tanh rounds to 1 beyond
  const auto [n, em1] = detail::split_exp(2 * inside);
  const float power = detail::power_of_two(n);
  const float e = power * em1 + (power - 1.0f);
  const float y = std::copysign(e / (e + 2.0f), x);
  return x != x ? x : y;
}

/// x for x > 0, exp(x) - 1 otherwise, which is accurate near 0.
inline float elu(float x) {
  const float inside = x > 0 ? 0.0f : (x < -30.0f ? -30.0f : x);  // exp(x) - 1 rounds to -1 beyond
  const auto [n, em1] = detail::split_exp(inside);
  const float power = detail::power_of_two(n);
  const float y = x > 0 ? x : power * em1 + (power - 1.0f);
  return x != x ? x : y;
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

inline float log(float x) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr std::uint32_t kSqrtHalf = 0x3f3504f3;  // bits of sqrt(1/2)
  // x = 2^n (1 + f). Subnormal numbers are scaled to normal ones first.
  const bool tiny = x < std::numeric_limits<float>::min();
  const auto bits = std::bit_cast<std::uint32_t>(tiny ? x * 0x1p23f : x);
  const std::int32_t exponent = static_cast<std::int32_t>(bits - kSqrtHalf) >> 23;
  const float f = std::bit_cast<float>(bits - (static_cast<std::uint32_t>(exponent) << 23)) - 1.0f;
  const float n = static_cast<float>(exponent) - (tiny ? 23.0f : 0.0f);
  const float y = (n * detail::kLn2Low + detail::small_log1p_rest(f) + f) + n * detail::kLn2High;
  const float low = x == 0 ? -kInfinity : (x < 0 ? std::numeric_limits<float>::quiet_NaN() : y);
  return x < kInfinity ? low : x;  // infinity and NaN
}

/// log(1 + e^x) for x <= 0
inline float log1p_exp(float x) {
  const float e = exp(x);
  const bool large = e > 0.41421356f;  // 1 + e = 2 (1 + f)
  const float f = large ? 0.5f * e - 0.5f : e;
  const float y = (large ? detail::kLn2Low : 0.0f) + detail::small_log1p_rest(f) + f;
  return y + (large ? detail::kLn2High : 0.0f);
}

/// x Phi(x), with the standard normal distribution function Phi (Hendrycks and Gimpel 2016).
inline float gelu(float x) {
  const float a = std::fabs(x);
  const auto [exponential, ratio] =
      detail::normal_tail(a < detail::kTailEnd ? a : detail::kTailEnd);
  const float all = a * ratio;
  const float tail = (all + all * exponential.em1) * detail::power_of_two(exponential.n);
  return (x < 0 ? 0.0f : x) - (a > detail::kTailEnd ? 0.0f : tail);
}

/// The derivative of gelu.
inline float gelu_slope(float x) {
  constexpr float kDensityAtZero = 0.398942280f;  // 1 / sqrt(2 pi)
  const float a = std::fabs(x), inside = a < detail::kTailEnd ? a : detail::kTailEnd;
  const auto [exponential, ratio] = detail::normal_tail(inside);
  const float below = (ratio - inside * kDensityAtZero) * (1.0f + exponential.em1) *
                      detail::power_of_two(exponential.n);
  const float some = a > detail::kTailEnd ? 0.0f : below;
  const float y = x < 0 ? some : 1.0f - some;
  return x != x ? x : y;
}

inline double exp(double x) { return std::exp(x); }
inline double exp_to_88(double x) { return std::exp(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double elu(double x) { return x > 0 ? x : std::expm1(x); }
inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
inline double log(double x) { return std::log(x); }
inline double log1p_exp(double x) { return std::log1p(std::exp(x)); }
inline double gelu(double x) {
  const double share = 0.5 * std::erfc(-x * (std::numbers::sqrt2 / 2));
  return share == 0 ? share : x * share;  // the limit at -infinity, where the product is NaN
}
inline double gelu_slope(double x) {
  constexpr double kDensityAtZero = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
  const double density = kDensityAtZero * std::exp(-0.5 * x * x);
  return 0.5 * std::erfc(-x * (std::numbers::sqrt2 / 2)) + (density == 0 ? density : x * density);
}

/// x sigmoid(x) (Elfwing et al. 2018), with its limits at the infinities.
template <typename T>
T silu(T x) {
  const T s = sigmoid(x);
  return s == 0 ? s : x * s;
}

/// The derivative of silu.
template <typename T>
T silu_slope(T x) {
  const T s = sigmoid(x), rest = s * (1 - s);
  return s + (rest == 0 ? rest : x * rest);
}

/// log(1 + e^x), without overflow.
template <typename T>
T softplus(T x) {
  return (x < 0 ? T(0) : x) + log1p_exp(-std::fabs(x));
}

}  // namespace attune::math
