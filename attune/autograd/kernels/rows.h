#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>

#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/vector.h"

/// Loops over one row of numbers, on the calling thread: what softmax, losses and normalisation
/// are made of.
namespace attune {

/// The largest element; -infinity for an empty row, NaN if there is one.
template <typename T>
T row_max(const T* x, std::int64_t n) {
  const auto larger = [](T a, T b) { return (b > a) | (b != b) ? b : a; };
  constexpr int kLanes = 16;
  T lanes[kLanes];
  std::fill_n(lanes, kLanes, -std::numeric_limits<T>::infinity());
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] = larger(lanes[lane], x[i + lane]);
  }
  for (int lane = 0; i < n; ++i, ++lane) lanes[lane] = larger(lanes[lane], x[i]);
  return std::accumulate(lanes + 1, lanes + kLanes, lanes[0], larger);
}

/// y[i] = exp(x[i] - shift)
template <typename T>
void row_exp(const T* x, T shift, std::int64_t n, T* y) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = math::exp(x[i] - shift);
}

/// y[i] += scale (exp(x[i] - total) - offset), where `total` is the row's log sum exp
template <typename T>
void row_add_probabilities(const T* x, T total, T offset, T scale, std::int64_t n, T* y) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] += scale * (math::exp(x[i] - total) - offset);
}

/// log sum_i exp(x[i]): the largest element is taken out first, so that nothing overflows.
/// -infinity for a row that is empty or holds nothing else.
template <typename T>
T row_logsumexp(const T* x, std::int64_t n) {
  const T largest = row_max(x, n);
  if (std::isinf(largest)) return largest;
  constexpr std::int64_t kBlock = 256;  // stays in the nearest cache
  T block[kBlock];
  T total = 0;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t width = std::min(kBlock, n - first);
    row_exp(x + first, largest, width, block);
    total += lane_sum<T>(width, [&](std::int64_t i) { return block[i]; });
  }
  return largest + std::log(total);
}

}  // namespace attune
