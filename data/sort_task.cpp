#include <algorithm>
#include <cstddef>
#include <numeric>

#include "attune/data/tasks.h"

namespace attune {

/// The target has the source's letters in alphabetical order, equal ones as they stand: bab becomes
/// abb, from positions 1, 0 and 2.
Task make_sort_task() {
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
