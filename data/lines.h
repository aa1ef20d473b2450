#pragma once

#include <array>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/array/error.h"

/// Reading lines of text, and reporting the lines that cannot be used.
namespace attune {

/// A stream of text: a file, or standard input if the path is "-".
class TextInput {
 public:
  /// Errors: the file cannot be opened; the message starts with `operation`.
  explicit TextInput(const std::string& path, std::string_view operation = "pairs");
  std::istream& stream() { return file_.is_open() ? file_ : std::cin; }

 private:
  std::ifstream file_;
};

/// The lines of a text. `option` names the option that chooses the path, for messages. Errors: as
/// TextInput and utf8::LineReader; a line is not UTF-8 (the message gives file and line); there are
/// no lines.
std::vector<std::string> read_text_lines(const std::string& path, std::string_view option);

/// The name of an input in messages: "'pairs.tsv'", or "standard input" if the path is "-".
std::string name_of_input(const std::string& path);

/// "1 line", "2 lines".
std::string lines_text(std::int64_t count);

/// The position of a line in messages: "pairs.tsv:3", or "standard input, line 3" if the path is
/// "-".
std::string place_of(const std::string& path, std::int64_t line);

/// Why a line cannot be used.
struct BadLine : Error {
  enum class Kind { too_long, unlike_lengths, repeated, malformed };
  BadLine(Kind why, const std::string& reason) : Error(reason), kind(why) {}
  Kind kind;
};

/// Counts the lines of a text that are left out, and why, and reports the first ten on standard
/// error.
class BadLines {
 public:
  enum class OnMalformed { stop, skip };
  /// `expected` is what each line should be, and `level` "warning" or "error".
  BadLines(std::string expected, const char* level, OnMalformed on_malformed)
      : expected_(std::move(expected)), level_(level), on_malformed_(on_malformed) {}

  /// Counts and reports the line at `place`, such as place_of(). Errors: it is malformed, and
  /// `on_malformed` is OnMalformed::stop.
  void add(const std::string& place, BadLine::Kind kind, std::string_view reason);

  std::int64_t count() const;
  /// "2 too long, 1 malformed".
  std::string summary() const;

 private:
  std::string expected_;
  const char* level_;
  OnMalformed on_malformed_;
  std::array<std::int64_t, 4> counts_ = {};  // of each BadLine::Kind
};

/// Warns on standard error that `lines` lines of the file called `name` have more than two columns,
/// unless `lines` is 0.
void warn_of_columns(const std::string& name, std::int64_t lines);

}  // namespace attune
