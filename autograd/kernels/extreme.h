#pragma once

#include <algorithm>
#include <cstdint>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"

namespace attune::kernels {

/// extreme_axis() of one row of n elements.
template <typename T, typename Beats>
void extreme_of_row(const T* x, std::int64_t n, const Beats& beats, T* value,
                    std::int32_t* position) {
  const auto wins = [&](T candidate, T best) {
    return beats(candidate, best) || (candidate != candidate && best == best);
  };
  T best = x[0];
  std::int32_t where = 0;
  // Few blocks have an element that wins. Whether one has is found in vectors, where it is, is not.
  constexpr std::int64_t kBlock = 256;
  for (std::int64_t first = 1; first < n; first += kBlock) {
    const std::int64_t last = std::min(first + kBlock, n);
    int winners = 0;
#pragma omp simd reduction(+ : winners)
    for (std::int64_t i = first; i < last; ++i) winners += wins(x[i], best) ? 1 : 0;
    if (winners == 0) continue;
    for (std::int64_t i = first; i < last; ++i)
      if (wins(x[i], best)) best = x[i], where = static_cast<std::int32_t>(i);
  }
  *value = best;
  *position = where;
}

/// The extreme elements along axis n of x [outer, n, inner] and their positions, both
/// [outer, inner]. beats(a, b) is true if a is more extreme than b; ties go to the first element.
/// NaN beats every number, so that it propagates. Requires n >= 1.
template <typename T, typename Beats>
void extreme_axis(const T* x, const AxisLayout& layout, const Beats& beats, T* values,
                  std::int32_t* positions) {
  const auto [outer, n, inner] = layout;
  parallel_for(outer, row_grain(n * inner), [&, n = n, inner = inner](auto first, auto last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n * inner;
      T* best = values + row * inner;
      std::int32_t* where = positions + row * inner;
      if (inner == 1) {
        extreme_of_row(from, n, beats, best, where);
        continue;
      }
      for (std::int64_t j = 0; j < inner; ++j) best[j] = from[j], where[j] = 0;
      for (std::int64_t i = 1; i < n; ++i)
        for (std::int64_t j = 0; j < inner; ++j) {
          const T value = from[i * inner + j];
          const bool wins = beats(value, best[j]) || (value != value && best[j] == best[j]);
          best[j] = wins ? value : best[j];
          where[j] = wins ? static_cast<std::int32_t>(i) : where[j];
        }
    }
  });
}

}  // namespace attune::kernels
