#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "attune/train/log_file.h"

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
  /// Appends to the file `path`. Errors: as LogFile.
  explicit MetricsLog(std::string path) : file_(std::move(path)) {}
  /// The same, but first truncates the file to `bytes` bytes. Errors: as LogFile.
  MetricsLog(std::string path, std::int64_t bytes) : file_(std::move(path), bytes) {}

  /// Appends one line. Errors: as LogFile::append().
  void write(const std::vector<MetricsField>& fields);
  /// Syncs all lines to disk. Errors: as LogFile::sync().
  void sync() { file_.sync(); }
  /// The size of the file, excluding lines that could not be written yet.
  std::int64_t bytes() const { return file_.bytes(); }

 private:
  LogFile file_;
};

}  // namespace attune
