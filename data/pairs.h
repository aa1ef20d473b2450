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
  bool has_more = false;    ///< the line has more than two columns; the others are ignored
};

/// Reads pairs from UTF-8 text, one pair per line: source TAB target. Line ends are those of
/// LineReader. Further columns and blank lines at the end are ignored. Any other line that has no
/// tab or an empty side, or is not UTF-8, has a fault.
class PairReader {
 public:
  /// `stream` must outlive the reader. Errors start with `name`.
  PairReader(std::istream& stream, std::string name) : lines_(stream, std::move(name)) {}
  /// Reads the next line; returns false at the end. Errors: as LineReader::next().
  bool next(PairLine& line);

 private:
  utf8::LineReader lines_;
  std::string text_;       // the next line that is not blank
  std::int64_t next_ = 1;  // number of the line to return next: a blank one, or that in text_
  bool is_text_waiting_ = false;
};

/// All pairs of a file, as read by PairReader. Errors: the file cannot be read; a line has a fault
/// (the message gives file and line); the file has no pairs.
std::vector<Pair> read_pairs(const std::string& path);

/// A source with all of its correct targets, such as the pronunciations of a word.
struct References {
  std::string source;
  std::vector<std::string> targets;
};

/// Groups pairs by source, with sources and targets in order of first appearance.
std::vector<References> group_by_source(const std::vector<Pair>& pairs);

}  // namespace attune
