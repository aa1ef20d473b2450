#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace attune {

/// One named value of a log line.
struct MetricsField {
  std::string_view name;
  std::variant<bool, std::int64_t, float, double, std::string> value;
};

/// Appends JSON objects, one a line (JSONL), to a file:
///
///     MetricsLog log("runs/demo/metrics.jsonl");
///     log.write({{"step", 10}, {"loss", 0.5}, {"split", "valid"}});
///
/// Fields keep their order, and no field is added (no time above all), so that equal runs have
/// equal logs. A float is written with its own shortest digits; NaN and infinity, which JSON lacks,
/// become null. Each line is in the file when write() returns.
class MetricsLog {
 public:
  /// Opens `path` to append, and makes it if there is none. Throws Error that names the path and
  /// the system's reason.
  explicit MetricsLog(std::string path);
  /// The same, but first cuts off what is beyond the first `bytes` bytes: lines that were written
  /// after the checkpoint that a training goes on from, and half a line at the end. Errors as well:
  /// the file has fewer bytes.
  MetricsLog(std::string path, std::int64_t bytes);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends one line. Throws Error that names the path and the system's reason (no space left,
  /// say); the file then ends with the line before, and the next write() or sync() writes this line
  /// too, if it can.
  void write(const std::vector<MetricsField>& fields);

  /// Returns when all lines are on the disk, and in the file of this name: one that was removed is
  /// made anew with all lines. Throws Error as write().
  void sync();

  /// The size of the file, without lines that could not be written yet.
  std::int64_t bytes() const;

 private:
  void write_pending();
  void make_anew();

  std::string path_;
  int descriptor_;
  std::string pending_;  // whole lines that are not in the file
};

}  // namespace attune
