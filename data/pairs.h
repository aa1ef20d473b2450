#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/utf8.h"

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

}  // namespace attune
