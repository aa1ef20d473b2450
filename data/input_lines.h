#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <vector>

#include "attune/data/utf8.h"

namespace attune {

/// A line of text, and its place for messages; see place_of().
struct InputLine {
  std::string text, place;
};

/// The lines of standard input for a program that answers each of them, many at a time. Another
/// program may write a line and wait for the answer, so lines that have not been written yet are
/// not waited for, nor is a second line from a terminal.
class InputLines {
 public:
  /// At most `most` lines at a time.
  explicit InputLines(std::int64_t most);
  /// The next lines; none at the end. Errors: standard input cannot be read; the lines before the
  /// fault are returned first.
  std::vector<InputLine> next();
  bool is_terminal() const { return is_terminal_; }

 private:
  std::int64_t most_;
  bool is_terminal_;
  utf8::LineReader reader_;
  std::exception_ptr failure_;
};

}  // namespace attune
