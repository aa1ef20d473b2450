#include <algorithm>
#include <cstddef>

#include "attune/data/tasks.h"

namespace attune {

/// The source is a word and a letter; the target is the number of times that the letter is in the
/// word, in decimal: abaab?a becomes 3. About half of the word's letters are that one. The number
/// comes from no single position.
Task make_count_task(const TaskOptions&) {
  Task task;
  task.target = [](std::string_view source) {
    return std::to_string(std::count(source.begin(), source.end() - 2, source.back()));
  };
  task.draw = [](int length, const std::function<int(int)>& below) {
    const char counted = static_cast<char>('a' + below(26));
    std::string source;
    for (int s = 0; s < length - 2; ++s)
      source += below(2) == 0 ? counted : static_cast<char>('a' + below(26));
    return source + '?' + counted;
  };
  task.symbols += "0123456789?";
  task.min_length = 3;
  return task;
}

}  // namespace attune
