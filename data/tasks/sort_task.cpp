#include <algorithm>
#include <cstddef>
#include <numeric>

#include "attune/data/tasks.h"

namespace attune {

/// The target is the source with its letters sorted alphabetically (a stable sort): bab becomes
/// abb, aligned with the source positions 1, 0 and 2.
Task make_sort_task(const TaskOptions&) {
  const auto by_letter = [](std::string_view source) {
    std::vector<int> positions(source.size());
    std::iota(positions.begin(), positions.end(), 0);
    std::stable_sort(positions.begin(), positions.end(), [&](int a, int b) {
      return source[static_cast<std::size_t>(a)] < source[static_cast<std::size_t>(b)];
    });
    return positions;
  };
  return {by_letter, /*equal_letters_are_one=*/true};
}

}  // namespace attune
