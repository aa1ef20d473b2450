#pragma once

#include <numeric>
#include <utility>

#include "attune/attune.h"

namespace extension {

using namespace attune;

/// Swaps neighbours: abcde becomes badce. A task returns, for each target letter, the source
/// position that it comes from.
inline Task make_swap_task(const TaskOptions&) {
  return {[](std::string_view source) {
    std::vector<int> positions(source.size());
    std::iota(positions.begin(), positions.end(), 0);
    for (std::size_t i = 1; i < positions.size(); i += 2) std::swap(positions[i - 1], positions[i]);
    return positions;
  }};
}

}  // namespace extension
