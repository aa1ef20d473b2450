#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace attune {

/// A file that grows by whole entries, such as the lines of a log. An entry is in the file when
/// append() returns.
class LogFile {
 public:
  /// Opens `path` for appending, and creates it if it does not exist. Errors: it cannot be opened
  /// (the message gives the path and the system's reason).
  explicit LogFile(std::string path);
  /// The same, but first truncates the file to `bytes` bytes. This removes entries written after
  /// the checkpoint from which a training is resumed, and an incomplete last one. Errors: also if
  /// the file has fewer bytes.
  LogFile(std::string path, std::int64_t bytes);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  /// Appends one entry. Errors: it cannot be written (the message gives the path and the system's
  /// reason, such as no space left). The file then ends with the previous entry, and the next
  /// append() or sync() tries to write this one again.
  void append(std::string_view entry);

  /// Syncs all entries to disk. If the file was removed, it is created again with all of them.
  /// Errors: as append().
  void sync();

  /// The size of the file, excluding entries that could not be written yet.
  std::int64_t bytes() const;

 private:
  void write_pending();
  void make_anew();

  std::string path_;
  int descriptor_;
  std::string pending_;  // whole entries that are not in the file
};

}  // namespace attune
