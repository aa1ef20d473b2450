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
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Appends one line. Throws Error that names the path and the system's reason (no space left,
  /// say); the file then ends with the line before.
  void write(const std::vector<MetricsField>& fields);

 private:
  std::string path_;
  int descriptor_;
};

}  // namespace attune
