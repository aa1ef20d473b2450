#include <cstddef>
#include <vector>

#include "attune/data/tasks.h"

namespace attune {

/// The last letter of the source occurs once before, and the target is the letter that followed it
/// there: abcdb becomes c, aligned with source position 2. This is what induction heads do (Olsson
/// et al. 2022).
Task make_induction_task(const TaskOptions&) {
  Task task;
  task.true_positions = [](std::string_view source) {
    return std::vector<int>{static_cast<int>(source.find(source.back())) + 1};
  };
  task.draw = [](int length, const std::function<int(int)>& below) {
    const char last = static_cast<char>('a' + below(26));
    std::string source;
    for (int s = 0; s < length; ++s) {
      const char other = static_cast<char>('a' + below(25));
      source += static_cast<char>(other + (other >= last));
    }
    source.back() = last;
    source[static_cast<std::size_t>(below(length - 2))] = last;  // something is between them
    return source;
  };
  task.min_length = 3;
  return task;
}

}  // namespace attune
