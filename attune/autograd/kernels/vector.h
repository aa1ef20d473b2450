#pragma once

#include <cstdint>

/// Loops over short vectors, on the calling thread.
namespace attune {

/// f(0) + ... + f(n - 1), in sixteen running sums that are added up in a fixed order.
template <typename T, typename F>
T lane_sum(std::int64_t n, const F& f) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += f(i + lane);
  }
  for (int lane = 0; i < n; ++i, ++lane) lanes[lane] += f(i);
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
}

/// sum_i x[i] y[i]
template <typename T>
T dot(const T* x, const T* y, std::int64_t n) {
  return lane_sum<T>(n, [=](std::int64_t i) { return x[i] * y[i]; });
}

/// True when no element is NaN or infinite.
template <typename T>
bool row_is_finite(const T* x, std::int64_t n) {
  return lane_sum<T>(n, [=](std::int64_t i) { return x[i] - x[i]; }) == 0;  // inf - inf is NaN
}

/// y += a x, or y = a x without `accumulate`.
template <typename T>
void axpy(std::int64_t n, T a, const T* x, T* y, bool accumulate = true) {
  if (accumulate) {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] += a * x[i];
  } else {
#pragma omp simd
    for (std::int64_t i = 0; i < n; ++i) y[i] = a * x[i];
  }
}

}  // namespace attune
