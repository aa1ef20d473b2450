#pragma once

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
  enum class Kind { malformed, too_long };
  BadLine(Kind why, const std::string& reason) : Error(reason), kind(why) {}
  Kind kind;
};

/// Counts the lines of a text that are left out, and reports the first ten on standard error.
class BadLines {
 public:
  enum class OnMalformed { stop, skip };
  /// `level` is "warning" or "error".
  BadLines(std::string path, const char* level, OnMalformed on_malformed)
      : path_(std::move(path)), level_(level), on_malformed_(on_malformed) {}

  /// Counts and reports a line. Errors: it is malformed, and `on_malformed` is OnMalformed::stop.
  void add(std::int64_t line, BadLine::Kind kind, std::string_view reason);

  std::int64_t malformed() const { return malformed_; }
  std::int64_t too_long() const { return too_long_; }
  std::int64_t count() const { return malformed_ + too_long_; }
  /// "2 too long, 1 malformed".
  std::string summary() const;

 private:
  std::string path_;
  const char* level_;
  OnMalformed on_malformed_;
  std::int64_t malformed_ = 0, too_long_ = 0;
};

/// Warns on standard error that `lines` lines have more than two columns, unless `lines` is 0.
void warn_of_columns(const std::string& path, std::int64_t lines);

}  // namespace attune
