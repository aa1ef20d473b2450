#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/utf8.h"

namespace attune {

/// One example: a source text and its target text.
struct Pair {
  std::string source, target;
  bool operator==(const Pair&) const = default;
};

/// A line of a file of pairs.
struct PairLine {
  std::int64_t number = 0;  ///< from 1
  Pair pair;                ///< for a malformed line, what could be read
  std::string fault;        ///< what is wrong with the line; empty if it is a pair
  bool has_more = false;    ///< there are more than two columns; the others are ignored
};

/// Reads pairs from UTF-8 text, one pair per line: source TAB target. Line ends are those of
/// LineReader. Further columns and blank lines at the end are ignored. Any other line without a
/// tab, with an empty side, or that is not UTF-8, has a fault.
class PairReader {
 public:
  /// `stream` must outlive the reader. Errors start with `name`.
  PairReader(std::istream& stream, std::string name) : lines_(stream, std::move(name)) {}
  /// The next line; false at the end. Throws Error as LineReader does.
  bool next(PairLine& line);

 private:
  utf8::LineReader lines_;
  std::string text_;       // the line after blank ones
  std::int64_t next_ = 1;  // the line to give next: a blank one, or the one in text_
  bool is_text_waiting_ = false;
};

/// All pairs of a file, as PairReader reads them. Throws Error for the first fault, with file and
/// line, and for a file without pairs.
std::vector<Pair> read_pairs(const std::string& path);

/// A source with all of its correct targets, such as the pronunciations of a word.
struct References {
  std::string source;
  std::vector<std::string> targets;
};

/// The pairs grouped by source; sources and targets are in order of first appearance.
std::vector<References> group_by_source(const std::vector<Pair>& pairs);

}  // namespace attune
