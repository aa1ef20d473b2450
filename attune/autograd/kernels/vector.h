#pragma once

#include <cstdint>

/// Loops over short vectors, on the calling thread.
namespace attune {

/// sum_i x[i] y[i], in sixteen running sums that are added up in a fixed order.
template <typename T>
T dot(const T* x, const T* y, std::int64_t n) {
  constexpr int kLanes = 16;
  T lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += x[i + lane] * y[i + lane];
  for (int lane = 0; i < n; ++i, ++lane) lanes[lane] += x[i] * y[i];
  for (int width = kLanes / 2; width > 0; width /= 2)
    for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
  return lanes[0];
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
