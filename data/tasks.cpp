#include "attune/data/tasks.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

std::vector<int> in_order(std::string_view source) {
  std::vector<int> positions(source.size());
  std::iota(positions.begin(), positions.end(), 0);
  return positions;
}

std::vector<int> backwards(std::string_view source) {
  std::vector<int> positions = in_order(source);
  std::reverse(positions.begin(), positions.end());
  return positions;
}

std::vector<int> by_letter(std::string_view source) {
  std::vector<int> positions = in_order(source);
  std::stable_sort(positions.begin(), positions.end(), [&](int a, int b) {
    return source[static_cast<std::size_t>(a)] < source[static_cast<std::size_t>(b)];
  });
  return positions;
}

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
      "task", {
                  {"copy", "write the letters as they stand", "", [] { return Task{in_order}; }},
                  {"reverse", "write the letters from the last to the first", "",
                   [] { return Task{backwards}; }},
                  {"sort", "write the letters in alphabetical order", "",
                   [] {
                     return Task{by_letter, /*equal_letters_are_one=*/true};
                   }},
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
  // The length is drawn once, so that it is uniform; the letters are drawn until the sequence is in
  // this split.
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
