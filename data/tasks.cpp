#include "attune/data/tasks.h"

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
      });
  return family;
}

Task make_task(std::string_view name) { return tasks().at(name).make(); }

std::vector<std::string> task_names() { return tasks().names(); }

Pair SyntheticPairs::operator[](std::uint64_t index) const {
  ATTUNE_CHECK(min_length >= 1 && min_length <= max_length,
               "synthetic pairs: lengths {} ... {} are no range; expected 1 <= min <= max",
               min_length, max_length);
  Series series(scatter(scatter(scatter(seed) ^ static_cast<std::uint64_t>(split)) ^ index));
  // Only the letters are drawn again if the sequence is in another split: the distribution of
  // lengths stays uniform.
  Pair pair;
  pair.source.resize(
      static_cast<std::size_t>(min_length + series.below(max_length - min_length + 1)));
  do {
    for (char& letter : pair.source) letter = static_cast<char>('a' + series.below(26));
  } while (!belongs_to(split, pair.source));
  for (const int position : task.true_positions(pair.source)) {
    pair.target += pair.source[static_cast<std::size_t>(position)];
  }
  return pair;
}

}  // namespace attune
