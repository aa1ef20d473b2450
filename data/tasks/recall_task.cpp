#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "attune/data/tasks.h"

namespace attune {
namespace {

using Below = std::function<int(int)>;

constexpr int kLetters = 26;
constexpr char kQuery = '?', kNothing = '-';

std::string shuffled(std::string letters, const Below& below) {
  for (std::size_t i = letters.size(); i > 1; --i)
    std::swap(letters[i - 1], letters[static_cast<std::size_t>(below(static_cast<int>(i)))]);
  return letters;
}

// Pairs of a key, a letter, and its value, a digit.
std::string pairs_of(std::string_view keys, const Below& below) {
  std::string pairs;
  for (const char key : keys) (pairs += key) += static_cast<char>('0' + below(10));
  return pairs;
}

// For each key behind the question mark, the position of its value, or -1.
std::vector<int> value_positions(std::string_view source) {
  const std::size_t query = source.find(kQuery);
  const std::string_view pairs = source.substr(0, query);
  std::vector<int> positions;
  for (const char key : source.substr(query + 1)) {
    const std::size_t found = pairs.find(key);
    positions.push_back(found == pairs.npos ? -1 : static_cast<int>(found) + 1);
  }
  return positions;
}

// A task whose sources are pairs, a question mark and keys. draw(letters, length, below) gets all
// letters in random order.
template <typename Draw>
Task recall_task(Draw draw) {
  Task task;
  task.true_positions = value_positions;
  task.target = [](std::string_view source) {
    std::string values;
    for (const int position : value_positions(source))
      values += position < 0 ? kNothing : source[static_cast<std::size_t>(position)];
    return values;
  };
  task.draw = [alphabet = task.symbols, draw](int length, const Below& below) {
    return draw(shuffled(alphabet, below), length, below);
  };
  task.symbols += "0123456789";
  (task.symbols += kQuery) += kNothing;
  task.min_length = 4;
  return task;
}

}  // namespace

/// The source is pairs of different letters and digits, and one of the letters; the target is the
/// digit that belongs to it: c9k8j3?k becomes 8, aligned with its position (associative recall, Ba
/// et al. 2016, sec. 4.1).
Task make_associative_recall_task(const TaskOptions&) {
  Task task = recall_task([](const std::string& letters, int length, const Below& below) {
    const int pairs = (length - 2) / 2;
    const std::string keys = letters.substr(0, static_cast<std::size_t>(pairs));
    return pairs_of(keys, below) + kQuery + keys[static_cast<std::size_t>(below(pairs))];
  });
  task.max_length = 2 * kLetters + 3;
  return task;
}

/// The same for all letters, in another order: c9k8j3?kcj becomes 893 (multi-query associative
/// recall, Arora et al. 2023, sec. 4).
Task make_multi_query_recall_task(const TaskOptions&) {
  Task task = recall_task([](const std::string& letters, int length, const Below& below) {
    const std::string keys = letters.substr(0, static_cast<std::size_t>((length - 1) / 3));
    return pairs_of(keys, below) + kQuery + shuffled(keys, below);
  });
  task.max_length = 3 * kLetters + 3;
  return task;
}

/// Half of the letters that are asked for, at random, have no digit; the target has a dash for
/// each, which is aligned with nothing: c9k8j3?xcx becomes -9-.
Task make_no_match_task(const TaskOptions&) {
  Task task = recall_task([](const std::string& letters, int length, const Below& below) {
    const int count = (length - 1) / 3;
    const std::string keys = letters.substr(0, static_cast<std::size_t>(count));
    std::string source = pairs_of(keys, below) + kQuery;
    for (int i = 0; i < count; ++i) {
      const int key = below(2) == 0 ? below(count) : count + below(kLetters - count);
      source += letters[static_cast<std::size_t>(key)];
    }
    return source;
  });
  task.max_length = 3 * (kLetters - 1) + 3;
  return task;
}

}  // namespace attune
