#pragma once

#include <algorithm>
#include <cstdint>

#include "attune/autograd/array/threads.h"

namespace attune {

/// How many threads a nested parallel loop may use: one, or an equal share of all threads.
enum class Teams : bool { of_one, of_equal_parts };

namespace detail {

/// How many threads a loop on the calling thread may use, the calling thread included.
int team();

/// Calls `run(context, i)` once for each i in [0, ranges), on the calling thread and on workers.
void share_out(std::int64_t ranges, void (*run)(const void*, std::int64_t), const void* context,
               Teams teams);

}  // namespace detail

/// Calls `body(first, last)` for consecutive ranges of `grain` elements that cover [0, n), in
/// parallel if there is more than one range. Ranges depend on `n` and `grain` only, never on the
/// number of threads, so a body computes the same bits on one thread as on eight. A nested
/// parallel_for runs on the calling thread; with Teams::of_equal_parts, for loops of a few large
/// ranges, each range has a team of threads for its nested loops. An exception in a body is
/// rethrown to the caller.
template <typename Body>
void parallel_for(std::int64_t n, std::int64_t grain, const Body& body,
                  Teams teams = Teams::of_one) {
  if (n <= 0) return;
  const std::int64_t ranges = (n - 1) / grain + 1;
  const auto range = [&](std::int64_t i) {
    const std::int64_t first = i * grain;
    body(first, n - first > grain ? first + grain : n);
  };
  using Range = decltype(range);
  // Not inlined, so that the loops in a body are compiled once and not once for each call below.
  const auto run = [](const void* context, std::int64_t i) __attribute__((noinline)) {
    (*static_cast<const Range*>(context))(i);
  };
  if (ranges <= 1 || detail::team() == 1) {
    for (std::int64_t i = 0; i < ranges; ++i) run(&range, i);
    return;
  }
  detail::share_out(ranges, run, &range, teams);
}

/// Elements per range for work of about one nanosecond or less per element. With smaller ranges a
/// second thread costs more time than it saves.
inline constexpr std::int64_t kElementGrain = 16384;

/// Rows per range so that a range holds about kElementGrain elements.
inline std::int64_t row_grain(std::int64_t row_elements) {
  return std::max<std::int64_t>(1, kElementGrain / std::max<std::int64_t>(1, row_elements));
}

}  // namespace attune
