#include <vector>

#include "attune/data/tasks.h"

namespace attune {

/// The target has each letter of the source k times in a row: with k = 2, abc becomes aabbcc.
/// Target position t is aligned with source position t / k. Option: times = k, at least 1.
Task make_repeat_task(const TaskOptions& options) {
  const auto times = static_cast<int>(options.arguments.whole("times", 2));
  Task task;
  task.true_positions = [times](std::string_view source) {
    std::vector<int> positions;
    for (int s = 0; s < std::ssize(source); ++s)
      positions.insert(positions.end(), static_cast<std::size_t>(times), s);
    return positions;
  };
  task.expansion = times;
  return task;
}

}  // namespace attune
