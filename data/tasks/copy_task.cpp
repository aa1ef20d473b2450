#include <cstddef>
#include <numeric>

#include "attune/data/tasks.h"

namespace attune {

/// The target is the source: abc becomes abc. Target position t is aligned with source position t.
Task make_copy_task(const TaskOptions&) {
  return {[](std::string_view source) {
    std::vector<int> positions(source.size());
    std::iota(positions.begin(), positions.end(), 0);
    return positions;
  }};
}

}  // namespace attune
