#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/data/lines.h"
#include "attune/data/utf8.h"

namespace attune {

/// One example: a source text and its target text.
struct Pair {
  std::string source, target;
  bool operator==(const Pair&) const = default;
};

/// Where pairs are: in one file with a pair a line, or in several files side by side, where pair n
/// is line n of each. One of them may be "-", standard input. Each may be compressed with gzip.
struct PairFiles {
  std::string pairs = {};                 ///< source TAB target; empty: files side by side
  std::string source = {};                ///< a source a line
  std::vector<std::string> targets = {};  ///< one, or several with a correct target a line each

  bool empty() const { return pairs.empty() && source.empty(); }
  bool are_side_by_side() const { return pairs.empty(); }
  /// The paths, sources first.
  std::vector<std::string> paths() const;
  /// The files in messages: "'pairs.tsv'", "'text.de' and 'text.en'".
  std::string name() const;
  /// The position of a pair in messages: "pairs.tsv:3", "line 3 of 'text.de' and 'text.en'".
  std::string place_of(std::int64_t line) const;
  /// What each line should be, for messages: "source TAB target".
  std::string expected() const;
  /// Errors: `lines`, the number of lines that were read, is 0.
  void check_not_empty(std::int64_t lines) const;
};

/// A pair as it was read.
struct PairLine {
  std::int64_t number = 0;  ///< from 1
  std::string source;
  std::vector<std::string> targets;  ///< one for each file of targets
  std::string fault;                 ///< what is wrong with the line; empty if it is a pair
  bool has_more = false;             ///< the line has more than two columns; the others are ignored
};

/// Reads pairs from UTF-8 text. Line ends are those of LineReader. A line that is not UTF-8, or has
/// an empty side, has a fault, and the texts of a PairLine are then what could be read.
///
/// In one file, a line without a tab has a fault, too; further columns, and blank lines at the end,
/// are ignored. Files side by side must have the same number of lines.
class PairReader {
 public:
  /// Errors: a file cannot be opened.
  explicit PairReader(const PairFiles& files);
  /// Reads the next line; returns false at the end. Errors: as LineReader::next(); files side by
  /// side end at different lines (the message has the number of lines of both).
  bool next(PairLine& line);

 private:
  struct Input {
    Input(const std::string& path, std::string_view option)
        : path(path), text(path), lines(text.stream(), name_of_input(path), option) {}
    std::string path;
    TextInput text;
    utf8::LineReader lines;
  };

  bool next_columns(PairLine& line);
  bool next_of_each(PairLine& line);
  void check_ends();

  bool is_side_by_side_;
  std::vector<std::unique_ptr<Input>> inputs_;  // of pairs, or of sources and targets
  std::string text_;                            // of pairs: the next line that is not blank
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
