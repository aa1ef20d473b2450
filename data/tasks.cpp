#include "attune/data/tasks.h"

#include <algorithm>
#include <cstddef>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

// The output function of splitmix64 (Steele, Lea and Flood 2014), a bijection.
std::uint64_t scatter(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Counter-based random numbers: the key determines the whole series.
class Series {
 public:
  explicit Series(std::uint64_t key) : key_(key) {}

  // Uniform in [0, n); the bias for such small n is below 1e-8.
  int below(int n) {
    const std::uint64_t random = scatter(key_ + count_++) >> 32;
    return static_cast<int>(random * static_cast<std::uint64_t>(n) >> 32);
  }

 private:
  std::uint64_t key_, count_ = 0;
};

// Whether a source is in a split. Those of one or two letters are in all of them.
bool belongs_to(Split split, std::string_view source) {
  if (source.size() < 3) return true;
  std::uint64_t hash = 0;
  for (const char letter : source) hash = scatter(hash ^ static_cast<unsigned char>(letter));
  const std::uint64_t tenth = (hash >> 32) % 10;
  return split == (tenth == 0 ? Split::test : tenth == 1 ? Split::valid : Split::train);
}

std::string random_letters(int length, const std::function<int(int)>& below) {
  std::string letters(static_cast<std::size_t>(length), ' ');
  for (char& letter : letters) letter = static_cast<char>('a' + below(26));
  return letters;
}

}  // namespace

Family<TaskMaker>& tasks() {
  static Family<TaskMaker> family(
      "task",
      {
          {"copy", "write the letters as they stand", "", ATTUNE_MAKER(TaskMaker, make_copy_task)},
          {"reverse", "write the letters from the last to the first", "",
           ATTUNE_MAKER(TaskMaker, make_reverse_task)},
          {"sort", "write the letters in alphabetical order", "",
           ATTUNE_MAKER(TaskMaker, make_sort_task)},
          {"repeat", "write each letter several times: ab becomes aabb; times=2", "",
           ATTUNE_MAKER(TaskMaker, make_repeat_task)},
          {"joined_segments", "copy a segment that is joined with itself: abcabcab",
           "Chorowski et al. 2015", ATTUNE_MAKER(TaskMaker, make_joined_segments_task)},
          {"selective_copy", "write the letters without the dots between them", "Gu and Dao 2023",
           ATTUNE_MAKER(TaskMaker, make_selective_copy_task)},
          {"induction", "write what followed the last letter before: abcdb becomes c",
           "Olsson et al. 2022", ATTUNE_MAKER(TaskMaker, make_induction_task)},
          {"associative_recall", "write the value of a key: c9k8j3?k becomes 8", "Ba et al. 2016",
           ATTUNE_MAKER(TaskMaker, make_associative_recall_task)},
          {"multi_query_recall", "write the values of all keys: c9k8j3?kcj becomes 893",
           "Arora et al. 2023", ATTUNE_MAKER(TaskMaker, make_multi_query_recall_task)},
          {"no_match", "the same, with - for keys that are not there: c9k8j3?xcx becomes -9-", "",
           ATTUNE_MAKER(TaskMaker, make_no_match_task)},
          {"count", "write how often a letter is there: abaab?a becomes 3", "",
           ATTUNE_MAKER(TaskMaker, make_count_task)},
      });
  return family;
}

Task make_task(std::string_view name) { return tasks().make(name, TaskOptions{}); }

std::vector<std::string> task_names() { return tasks().names(); }

Pair SyntheticPairs::operator[](std::uint64_t index) const {
  ATTUNE_CHECK(min_length >= 1 && min_length <= max_length,
               "synthetic pairs: lengths {} ... {} are no range; expected 1 <= min <= max",
               min_length, max_length);
  ATTUNE_CHECK(task.min_length <= max_length && max_length <= task.max_length,
               "synthetic pairs: sources of at most {} letters, but those of the task have {} to "
               "{}",
               max_length, task.min_length, task.max_length);
  Series series(scatter(scatter(scatter(seed) ^ static_cast<std::uint64_t>(split)) ^ index));
  const auto below = [&](int n) { return series.below(n); };
  const int shortest = std::max(min_length, task.min_length);
  const int length = shortest + below(max_length - shortest + 1);
  // Only the letters are drawn again if the sequence is in another split: the distribution of
  // lengths stays uniform.
  Pair pair;
  do {
    pair.source = task.draw ? task.draw(length, below) : random_letters(length, below);
  } while (!belongs_to(split, pair.source));
  if (task.target) {
    pair.target = task.target(pair.source);
  } else {
    for (const int position : task.true_positions(pair.source))
      pair.target += pair.source[static_cast<std::size_t>(position)];
  }
  return pair;
}

}  // namespace attune
