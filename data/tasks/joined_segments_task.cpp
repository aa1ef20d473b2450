#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "attune/data/tasks.h"

namespace attune {

/// The source is a segment of two to four letters that is joined with itself until the source has
/// its length: abcabcab. The target is the source, aligned position by position. A mechanism that
/// attends by content alone cannot tell the segments from each other, as Chorowski et al. (2015)
/// found with repeated utterances.
Task make_joined_segments_task(const TaskOptions&) {
  Task task;
  task.true_positions = [](std::string_view source) {
    std::vector<int> positions(source.size());
    std::iota(positions.begin(), positions.end(), 0);
    return positions;
  };
  task.draw = [](int length, const std::function<int(int)>& below) {
    const auto segment = static_cast<std::size_t>(std::min(length, 2 + below(3)));
    std::string source;
    for (std::size_t s = 0; s < static_cast<std::size_t>(length); ++s)
      source += s < segment ? static_cast<char>('a' + below(26)) : source[s - segment];
    return source;
  };
  return task;
}

}  // namespace attune
