#pragma once

#include <cstdio>
#include <memory>
#include <string>
#include <string_view>

namespace attune {

/// Lines that are read a second time, for which they wait on disk rather than in memory: in a file
/// without a name in the system's folder for temporary files.
class SpooledLines {
 public:
  /// Errors: the file cannot be created.
  SpooledLines();
  /// Adds a line, which has no line feed. Errors: it cannot be written.
  void add(std::string_view line);
  /// Goes to the first line. Errors: a line cannot be written.
  void rewind();
  /// Reads the next line; returns false at the end. Errors: it cannot be read.
  bool next(std::string& line);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string folder_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace attune
