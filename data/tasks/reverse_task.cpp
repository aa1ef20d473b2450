#include <cstddef>
#include <numeric>

#include "attune/data/tasks.h"

namespace attune {

/// The target is the source reversed: abc becomes cba. Target position t is aligned with source
/// position S - 1 - t.
Task make_reverse_task(const TaskOptions&) {
  return {[](std::string_view source) {
    std::vector<int> positions(source.size());
    std::iota(positions.rbegin(), positions.rend(), 0);
    return positions;
  }};
}

}  // namespace attune
