#include <vector>

#include "attune/data/tasks.h"

namespace attune {

/// Half of the source's positions, at random, are dots; the target is the letters between them:
/// .a..bc. becomes abc, each aligned with its own position (selective copying, Gu and Dao 2023,
/// sec. 3.1). A source has at least one letter.
Task make_selective_copy_task(const TaskOptions&) {
  Task task;
  task.true_positions = [](std::string_view source) {
    std::vector<int> positions;
    for (int s = 0; s < std::ssize(source); ++s)
      if (source[static_cast<std::size_t>(s)] != '.') positions.push_back(s);
    return positions;
  };
  task.draw = [](int length, const std::function<int(int)>& below) {
    const int letter = below(length);  // this position is not a dot
    std::string source;
    for (int s = 0; s < length; ++s)
      source += s != letter && below(2) == 0 ? '.' : static_cast<char>('a' + below(26));
    return source;
  };
  task.symbols += '.';
  return task;
}

}  // namespace attune
