#pragma once

#include <cstdint>
#include <functional>
#include <type_traits>

/// Attribute of a function with a loop that calls a function passed in by the caller. That function
/// is inlined, and the loop becomes SIMD code for the processor that the library was built for,
/// even in user programs compiled for a lesser one: they need that processor anyway, since they
/// call the library. The CMake target defines ATTUNE_LOOP_BITS. (Clang must not inline the function
/// that holds the loop: inside a caller that prefers 256-bit vectors it would use no wider ones.)
#if !defined(__OPTIMIZE__)
#define ATTUNE_LOOP
#elif ATTUNE_LOOP_BITS == 512 && defined(__clang__)
#define ATTUNE_LOOP                                        \
  __attribute__((flatten, noinline, min_vector_width(512), \
                 target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")))
#elif ATTUNE_LOOP_BITS == 512
#define ATTUNE_LOOP       \
  __attribute__((flatten, \
                 target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")))
#elif ATTUNE_LOOP_BITS == 256
#define ATTUNE_LOOP __attribute__((flatten, target("avx2,fma")))
#else
#define ATTUNE_LOOP __attribute__((flatten))
#endif

/// Loops over short vectors, on the calling thread.
namespace attune::kernels {

/// Accumulator type for long sums of T: wide enough for a sum of a hundred million elements to be
/// accurate to a few units in the last place of T.
template <typename T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

/// Combines the upper half of `lanes` with the lower by f until lanes[0] holds the result of all:
/// their sum by default.
template <int kWidth, typename T, typename F = std::plus<>>
[[gnu::always_inline]] inline void fold_lanes(T* lanes, const F& f = {}) {
#pragma omp simd
  for (int lane = 0; lane < kWidth; ++lane) lanes[lane] = f(lanes[lane], lanes[lane + kWidth]);
  if constexpr (kWidth > 1) fold_lanes<kWidth / 2>(lanes, f);
}

/// Calls f(i % kLanes, i) for i in [0, n), of which kLanes in a row are independent of each other.
/// Always inlined, as lane_sum() is.
template <int kLanes, typename F>
[[gnu::always_inline]] inline void for_lanes(std::int64_t n, const F& f) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) f(lane, i + lane);
  }
  for (int lane = 0; i < n; ++i, ++lane) f(lane, i);
}

/// f(0) + ... + f(n - 1). Each block is sixteen running sums, combined in a fixed order; the sums
/// of blocks are added in a wider type. Always inlined: otherwise the loop would not become SIMD
/// code if f captures by reference.
template <typename T, typename F>
[[gnu::always_inline]] inline T lane_sum(std::int64_t n, const F& f) {
  constexpr int kLanes = 16;
  constexpr std::int64_t kBlock = 64 * kLanes;
  Wide<T> total = 0;
  for (std::int64_t block = 0; block < n; block += kBlock) {
    const std::int64_t end = n - block < kBlock ? n : block + kBlock;
    T lanes[kLanes] = {};
    std::int64_t i = block;
    for (; i + kLanes <= end; i += kLanes) {
#pragma omp simd
      for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += f(i + lane);
    }
    for (int lane = 0; i < end; ++i, ++lane) lanes[lane] += f(i);
    fold_lanes<kLanes / 2>(lanes);
    if (n <= kBlock) return lanes[0];
    total += lanes[0];
  }
  return static_cast<T>(total);
}

/// sum_i x[i] y[i]
template <typename T>
T dot(const T* x, const T* y, std::int64_t n) {
  return lane_sum<T>(n, [=](std::int64_t i) { return x[i] * y[i]; });
}

/// True if no element is NaN or infinite.
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

/// Calls f(x[i]...) for i in [0, n); f may modify its arguments. The arrays must not overlap.
template <typename F, typename... X>
ATTUNE_LOOP void for_each(std::int64_t n, const F& f, X* __restrict... x) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) f(x[i]...);
}

}  // namespace attune::kernels
