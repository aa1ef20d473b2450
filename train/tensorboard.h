#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "attune/train/log_file.h"
#include "attune/train/metrics_log.h"

namespace attune {

/// The CRC-32C (Castagnoli) of bytes, that of "123456789" being 0xE3069283.
std::uint32_t crc32c(std::string_view bytes);

/// Writes a file of events that TensorBoard reads, if its name contains "tfevents": a sequence of
/// records in TensorFlow's format TFRecord,
///
///     length of data (8 bytes)   masked CRC-32C of these (4)   data   masked CRC-32C of it (4)
///
/// with little-endian numbers, and the mask ((crc >> 15) | (crc << 17)) + 0xA282EAD8. Data is a
/// protocol buffer of the type Event. These are the types and the numbers of the fields in use:
///
///     Event    1 wall_time (double)   2 step (int64)   3 file_version (string)
///              5 summary (Summary)
///     Summary  1 value (Value, repeated)
///     Value    1 tag (string)   2 simple_value (float)   4 image (Image)
///     Image    1 height (int32)   2 width (int32)   3 colorspace (int32)
///              4 encoded_image_string (bytes)
///
/// Events have the time at which they were written, so equal trainings do not have equal files.
class EventLog {
 public:
  /// Truncates the file to `bytes` bytes, as LogFile, and begins an empty one with the version of
  /// the format. Errors: as LogFile.
  EventLog(std::string path, std::int64_t bytes);

  /// Writes an event with the numbers among `fields`, each under its name. Errors: as
  /// LogFile::append().
  void scalars(std::int64_t step, const std::vector<MetricsField>& fields);
  /// Writes an event with a PNG picture. Errors: as LogFile::append().
  void image(std::int64_t step, std::string_view tag, std::string_view png);
  /// Syncs all events to disk. Errors: as LogFile::sync().
  void sync() { file_.sync(); }
  std::int64_t bytes() const { return file_.bytes(); }

 private:
  void write(std::string_view fields);

  LogFile file_;
};

}  // namespace attune
