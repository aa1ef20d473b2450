#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/vector.h"

/// Loops over one row, on the calling thread: the building blocks of softmax, losses and
/// normalisation.
namespace attune::kernels {

/// The largest element; -infinity for an empty row, NaN if any element is NaN.
template <typename T>
T row_max(const T* x, std::int64_t n) {
  constexpr int kLanes = 16;
  constexpr T kLowest = -std::numeric_limits<T>::infinity();
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, kLowest);
  constexpr std::int64_t kLong = 4 * kLanes;
  if (n >= kLong) {
    // A comparison that ignores NaN, and beside it a sum of zeros, which is not 0 if an element is
    // NaN or infinite: together they take half the time of the comparison below.
    const auto larger = [](T a, T b) { return b > a ? b : a; };
    T zeros[kLanes] = {};
    for_lanes<kLanes>(n, [&](int lane, std::int64_t i) {
      lanes[lane] = larger(lanes[lane], x[i]);
      zeros[lane] += x[i] * T{0};
    });
    fold_lanes<kLanes / 2>(lanes, larger);
    fold_lanes<kLanes / 2>(zeros);
    if (zeros[0] == 0) return lanes[0];
    std::fill_n(lanes, kLanes, kLowest);
  }
  const auto larger = [](T a, T b) { return ((b > a) | (b != b)) ? b : a; };
  for_lanes<kLanes>(n, [&](int lane, std::int64_t i) { lanes[lane] = larger(lanes[lane], x[i]); });
  fold_lanes<kLanes / 2>(lanes, larger);
  return lanes[0];
}

/// Whether an element is at least `bound`.
template <typename T>
bool row_reaches(const T* x, std::int64_t n, T bound) {
  int found = 0;
#pragma omp simd reduction(+ : found)
  for (std::int64_t i = 0; i < n; ++i) found += x[i] >= bound;
  return found > 0;
}

/// y[i] = exp(x[i] - shift), where no element exceeds `shift` by more than 88.
template <typename T>
void row_exp(const T* x, T shift, std::int64_t n, T* y) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = math::exp_to_88(x[i] - shift);
}

/// log sum_i exp(x[i]) in two parts. They are kept apart until a difference is taken: beside a
/// large maximum their sum would round the logarithm away (three scores of 1e8 have 1e8 + ln 3).
template <typename T>
struct LogSumExp {
  T largest;    ///< the largest x[i]; -infinity for a row that is empty or all -infinity
  T log_total;  ///< log sum_i exp(x[i] - largest), 0 for such a row; NaN if any x[i] is +infinity

  /// True for a row whose probabilities are all 0.
  bool empty() const { return largest == -std::numeric_limits<T>::infinity(); }
  T value() const { return std::isinf(largest) ? largest : largest + log_total; }
};

/// log sum_i exp(x[i]), shifted by the largest element so that nothing overflows.
template <typename T>
LogSumExp<T> row_logsumexp(const T* x, std::int64_t n, T largest) {
  if (largest == -std::numeric_limits<T>::infinity()) return {largest, 0};
  constexpr std::int64_t kBlock = 256;
  Wide<T> total = 0;
  for (std::int64_t first = 0; first < n; first += kBlock)
    total += lane_sum<T>(std::min(kBlock, n - first),
                         [=](std::int64_t i) { return math::exp_to_88(x[first + i] - largest); });
  return {largest, std::log(static_cast<T>(total))};
}

/// The same, if the largest element is not known yet.
template <typename T>
LogSumExp<T> row_logsumexp(const T* x, std::int64_t n) {
  return row_logsumexp(x, n, row_max(x, n));
}

/// y[i] = log probability of x[i]; the row must not be empty().
template <typename T>
void row_log_probabilities(const T* x, const LogSumExp<T>& sum, std::int64_t n, T* y) {
  const T largest = sum.largest, log_total = sum.log_total;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = (x[i] - largest) - log_total;
}

/// y[i] = probability of x[i], exp(x[i] - log sum)
template <typename T>
void row_probabilities(const T* x, const LogSumExp<T>& sum, std::int64_t n, T* y) {
  const T largest = sum.largest, log_total = sum.log_total;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = math::exp_to_88((x[i] - largest) - log_total);
}

/// y[i] += scale * (probability of x[i] - offset)
template <typename T>
void row_add_probabilities(const T* x, const LogSumExp<T>& sum, T offset, T scale, std::int64_t n,
                           T* y) {
  const T largest = sum.largest, log_total = sum.log_total;
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i)
    y[i] += scale * (math::exp_to_88((x[i] - largest) - log_total) - offset);
}

}  // namespace attune::kernels
