#pragma once

#include <omp.h>

#include <algorithm>
#include <cstdint>

#include "attune/autograd/array/threads.h"

namespace attune {

/// Calls `body(first, last)` for consecutive ranges that cover [0, n), on several threads where
/// there is more than one range. The ranges depend on `n` and `grain` alone, never on the number of
/// threads: whatever a body computes from its range has the same bits on one thread and on eight.
/// Inside a parallel_for, further ones run on the calling thread.
template <typename Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body) {
  const std::int64_t ranges = (n + grain - 1) / grain;
  const auto range = [&](std::int64_t i) { body(i * grain, std::min(n, (i + 1) * grain)); };
  const int team = static_cast<int>(std::min<std::int64_t>(threads(), ranges));
  if (team <= 1 || omp_in_parallel()) {
    for (std::int64_t i = 0; i < ranges; ++i) range(i);
    return;
  }
#pragma omp parallel for schedule(static) num_threads(team)
  for (std::int64_t i = 0; i < ranges; ++i) range(i);
}

/// Elements per range for work of about one nanosecond or less per element: below it a second
/// thread costs more than it brings.
inline constexpr std::int64_t kElementGrain = 16384;

/// Rows per range so that a range holds about kElementGrain elements.
inline std::int64_t row_grain(std::int64_t row_elements) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, row_elements));
}

}  // namespace attune
