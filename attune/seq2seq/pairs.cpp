#include "attune/seq2seq/pairs.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <unordered_map>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/text.h"
#include "attune/seq2seq/utf8.h"

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

// The output function of splitmix64 (Steele, Lea and Flood 2014): a bijection that scatters.
std::uint64_t scatter(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// Random numbers by counter: the key fixes the whole series.
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

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\v\f") == std::string_view::npos;
}

// The start of a line in an error message.
std::string excerpt(std::string_view line) {
  std::size_t end = std::min<std::size_t>(60, line.size());
  while (end < line.size() && (line[end] & 0xC0) == 0x80) --end;  // within a character
  return utf8::visible(line.substr(0, end)) + (end < line.size() ? "..." : "");
}

PairLine parse(std::string_view line, std::int64_t number) {
  PairLine result{number, {}, utf8::fault_of(line), false};
  if (!result.fault.empty()) return result;
  const std::size_t tab = line.find('\t');
  result.pair.source = line.substr(0, tab);
  if (tab == std::string_view::npos) {
    result.fault = fmt::format("no tab in '{}'", excerpt(line));
    return result;
  }
  const std::size_t end = std::min(line.find('\t', tab + 1), line.size());
  result.pair.target = line.substr(tab + 1, end - tab - 1);
  result.has_more = end < line.size();
  if (result.pair.source.empty()) result.fault = "the source before the tab is empty";
  if (result.pair.target.empty()) result.fault = "the target after the tab is empty";
  return result;
}

}  // namespace

bool PairReader::next(PairLine& line) {
  if (!is_text_waiting_) {
    do {
      if (!lines_.next(text_)) return false;
    } while (is_blank(text_));
    is_text_waiting_ = true;
  }
  if (next_ < lines_.number()) {
    line = {next_++, {}, "the line is blank", false};
    return true;
  }
  is_text_waiting_ = false;
  line = parse(text_, next_++);
  return true;
}

std::vector<Pair> read_pairs(const std::string& path) {
  std::ifstream file = utf8::open_text(path, "read_pairs");
  PairReader reader(file, fmt::format("read_pairs: '{}'", path));
  std::vector<Pair> pairs;
  for (PairLine line; reader.next(line);) {
    ATTUNE_CHECK(line.fault.empty(), "read_pairs: {}:{}: {}; expected source TAB target", path,
                 line.number, line.fault);
    pairs.push_back(std::move(line.pair));
  }
  ATTUNE_CHECK(!pairs.empty(), "read_pairs: {}:1: the file is empty; expected source TAB target",
               path);
  return pairs;
}

std::vector<References> group_by_source(const std::vector<Pair>& pairs) {
  std::vector<References> groups;
  std::unordered_map<std::string_view, std::size_t> group_of;
  for (const Pair& pair : pairs) {
    const auto [entry, is_new] = group_of.emplace(pair.source, groups.size());
    if (is_new) groups.push_back({pair.source, {}});
    groups[entry->second].targets.push_back(pair.target);
  }
  return groups;
}

const std::vector<Task>& tasks() {
  static const std::vector<Task> all = {
      {"copy", "write the letters as they stand", in_order, false},
      {"reverse", "write the letters from the last to the first", backwards, false},
      {"sort", "write the letters in alphabetical order", by_letter, true},
  };
  return all;
}

const Task& task_named(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Task& task : tasks()) {
    if (task.name == name) return task;
    names.push_back(task.name);
  }
  fail("task: unknown task '{}'; known tasks: {}", name, joined(names));
}

Pair SyntheticPairs::operator[](std::uint64_t index) const {
  ATTUNE_CHECK(min_length >= 1 && min_length <= max_length,
               "task {}: lengths {} ... {} are no range; expected 1 <= min <= max", task->name,
               min_length, max_length);
  Series series(scatter(scatter(scatter(seed) ^ static_cast<std::uint64_t>(split)) ^ index));
  // The length is drawn once and kept, so that it stays uniform while letters are drawn again
  // until the sequence is one of this split.
  Pair pair;
  pair.source.resize(
      static_cast<std::size_t>(min_length + series.below(max_length - min_length + 1)));
  do {
    for (char& letter : pair.source) letter = static_cast<char>('a' + series.below(26));
  } while (!belongs_to(split, pair.source));
  for (const int position : task->true_positions(pair.source)) {
    pair.target += pair.source[static_cast<std::size_t>(position)];
  }
  return pair;
}

}  // namespace attune
