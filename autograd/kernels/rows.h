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

/// The LogSumExp of a row that is read block by block: earlier sums are rescaled when a block has a
/// larger element (Milakov and Gimelshein 2018).
template <typename T>
class RunningLogSumExp {
 public:
  /// Elements in a block; only the last one of a row may have fewer.
  static constexpr std::int64_t kBlock = 256;

  /// Adds a block, of which `largest` is row_max().
  void add(const T* x, std::int64_t n, T largest) {
    if (largest == -std::numeric_limits<T>::infinity() || std::isnan(largest_)) return;
    const T sum = lane_sum<T>(n, [=](std::int64_t i) { return math::exp_to_88(x[i] - largest); });
    if (largest <= largest_) {
      total_ += sum * math::exp(largest - largest_);
    } else {
      total_ = total_ * math::exp(largest_ - largest) + sum;
      largest_ = largest;
    }
  }
  LogSumExp<T> result() const {
    if (largest_ == -std::numeric_limits<T>::infinity()) return {largest_, 0};
    return {largest_, std::log(static_cast<T>(total_))};
  }

 private:
  T largest_ = -std::numeric_limits<T>::infinity();
  Wide<T> total_ = 0;
};

/// log sum_i exp(x[i]), shifted so that nothing overflows.
template <typename T>
LogSumExp<T> row_logsumexp(const T* x, std::int64_t n) {
  constexpr std::int64_t kBlock = RunningLogSumExp<T>::kBlock;
  RunningLogSumExp<T> sum;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t count = std::min(kBlock, n - first);
    sum.add(x + first, count, row_max(x + first, count));
  }
  return sum.result();
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
