#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/seq2seq/utf8.h"

namespace attune {

/// One example: a line to read and the line to write for it.
struct Pair {
  std::string source, target;
  bool operator==(const Pair&) const = default;
};

/// A line of a text of pairs.
struct PairLine {
  std::int64_t number = 0;  ///< from 1
  Pair pair;                ///< of a line with a fault what could be read of it
  std::string fault;        ///< why it is no pair; empty if it is one
  bool has_more = false;    ///< there are columns beside source and target, which are left out
};

/// Reads UTF-8 text of pairs, one a line: source TAB target. Lines end as LineReader says; further
/// columns are left out; blank lines (white space alone) at the end are no lines. Any other line
/// without a tab, with an empty side or that is not UTF-8 text has a fault.
class PairReader {
 public:
  /// `stream` outlives the reader. Errors start with `name`.
  PairReader(std::istream& stream, std::string name) : lines_(stream, std::move(name)) {}
  /// The next line; false at the end. Throws Error as LineReader does.
  bool next(PairLine& line);

 private:
  utf8::LineReader lines_;
  std::string text_;       // the line after blank ones
  std::int64_t next_ = 1;  // the line to give next: a blank one, or the one in text_
  bool is_text_waiting_ = false;
};

/// All pairs of a file, as PairReader reads them. Throws Error that names the file and the line of
/// the first fault; and for a file without pairs.
std::vector<Pair> read_pairs(const std::string& path);

/// A source with every target that is right for it, such as the pronunciations of a word.
struct References {
  std::string source;
  std::vector<std::string> targets;
};

/// The pairs gathered by source; sources and their targets in order of first appearance.
std::vector<References> group_by_source(const std::vector<Pair>& pairs);

/// A synthetic task: a target that rearranges the letters a ... z of its source.
struct Task {
  std::string_view name;
  std::string_view purpose;  ///< for a program's help

  /// For each target position the source position that its letter came from, which is what an
  /// alignment should find: target[t] = source[true_positions(source)[t]]. Where a letter stands
  /// several times, `sort` keeps their order.
  std::vector<int> (*true_positions)(std::string_view source);

  /// True where a letter may come from any place that holds it: sorting does not tell equal letters
  /// apart, while copying and reversing go by position.
  bool equal_letters_are_one = false;
};

/// Every synthetic task: copy, reverse, sort.
const std::vector<Task>& tasks();

/// The task of that name. Throws Error that lists the known names.
const Task& task_named(std::string_view name);

/// What examples are for. No sequence of three or more letters belongs to two of these, whatever
/// the seeds: a tenth of all, told by a hash of the letters, is kept for `valid` and another for
/// `test`. Of one or two letters there are only 702 sequences; all three share them, since a model
/// that never met a letter on its own has no reason to know what to do with it.
enum class Split { train, valid, test };

/// Makes the examples of a synthetic task out of nothing but numbers: example `index` is the same
/// at every call, in any order, on any machine.
struct SyntheticPairs {
  const Task* task;
  Split split = Split::train;
  std::uint64_t seed = 0;
  int min_length = 1;   ///< letters; at least 1
  int max_length = 20;  ///< letters; lengths are uniform in [min_length, max_length]

  /// Example `index`. Throws Error if the lengths are no range.
  Pair operator[](std::uint64_t index) const;
};

}  // namespace attune
