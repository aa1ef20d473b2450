#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace attune {

/// One named value of a log line.
struct MetricsField {
  std::string name;
  std::variant<bool, std::int64_t, float, double, std::string> value;
};

/// Appends JSON objects to a file, one per line (JSONL):
///
///     MetricsLog log("runs/demo/metrics.jsonl");
///     log.write({{"step", 10}, {"loss", 0.5}, {"split", "valid"}});
///
/// Fields keep their order, and no field is added (in particular no time), so that equal runs have
/// equal logs. A float is written with the shortest digits that identify it; NaN and infinity,
/// which JSON lacks, become null. Each line is in the file when write() returns.
class MetricsLog {
 public:
  /// Opens `path` for appending, and creates it if it does not exist. Errors: it cannot be opened
  /// (the message gives the path and the system's reason).
  explicit MetricsLog(std::string path);
  /// The same, but first truncates the file to `bytes` bytes. This removes lines written after the
  /// checkpoint from which a training is resumed, and an incomplete last line. Errors: also if the
  /// file has fewer bytes.
  MetricsLog(std::string path, std::int64_t bytes);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends one line. Errors: it cannot be written (the message gives the path and the system's
  /// reason, such as no space left). The file then ends with the previous line, and the next
  /// write() or sync() tries to write this line again.
  void write(const std::vector<MetricsField>& fields);

  /// Syncs all lines to disk. If the file was removed, it is created again with all lines.
  /// Errors: as write().
  void sync();

  /// The size of the file, excluding lines that could not be written yet.
  std::int64_t bytes() const;

 private:
  void write_pending();
  void make_anew();

  std::string path_;
  int descriptor_;
  std::string pending_;  // whole lines that are not in the file
};

}  // namespace attune
