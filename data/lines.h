#pragma once

#include <cstdint>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <utility>

#include "attune/autograd/array/error.h"

/// Lines of text that programs read, and what is wrong with some of them.
namespace attune {

/// Text that a program reads: a file, or standard input where the path is "-".
class TextInput {
 public:
  /// Errors: the file cannot be opened.
  explicit TextInput(const std::string& path);
  std::istream& stream() { return file_.is_open() ? file_ : std::cin; }

 private:
  std::ifstream file_;
};

/// What to call an input: "'pairs.tsv'", or "standard input" where the path is "-".
std::string name_of_input(const std::string& path);

/// "1 line", "2 lines".
std::string lines_text(std::int64_t count);

/// Where a line is: "pairs.tsv:3", or "standard input, line 3" where the path is "-".
std::string place_of(const std::string& path, std::int64_t line);

/// Why a line cannot be used.
struct BadLine : Error {
  enum class Kind { malformed, too_long };
  BadLine(Kind why, const std::string& reason) : Error(reason), kind(why) {}
  Kind kind;
};

/// The lines of a text that a program leaves out: the first ones are named on standard error, all
/// are counted.
class BadLines {
 public:
  enum class OnMalformed { stop, skip };
  /// `level` is "warning" or "error".
  BadLines(std::string path, const char* level, OnMalformed on_malformed)
      : path_(std::move(path)), level_(level), on_malformed_(on_malformed) {}

  /// Errors: it is malformed, and such lines are not to be left out.
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

/// Says on standard error that so many lines have columns beside source and target, if any have.
void warn_of_columns(const std::string& path, std::int64_t lines);

}  // namespace attune
