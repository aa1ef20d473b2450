#include "attune/train/metrics_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/data/files.h"

namespace attune {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const MetricsField& field) {
  return std::visit(
      [](const auto& value) -> Json {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, float>) {
          // The double with the same shortest digits: 0.1 rather than 0.10000000149011612.
          const std::string digits = fmt::format("{}", value);
          double result = 0;
          std::from_chars(digits.data(), digits.data() + digits.size(), result);
          return result;
        } else {
          return value;
        }
      },
      field.value);
}

}  // namespace

MetricsLog::MetricsLog(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  ATTUNE_CHECK(descriptor_ >= 0, "metrics_log: cannot open '{}': {}", path_, system_reason(errno));
}

MetricsLog::MetricsLog(std::string path, std::int64_t bytes) : MetricsLog(std::move(path)) {
  const std::int64_t found = this->bytes();
  ATTUNE_CHECK(found >= bytes,
               "metrics_log: '{}' has {} bytes, but {} were written; was it changed?", path_, found,
               bytes);
  ATTUNE_CHECK(found == bytes || ::ftruncate(descriptor_, bytes) == 0,
               "metrics_log: cannot cut '{}': {}", path_, system_reason(errno));
}

MetricsLog::~MetricsLog() { ::close(descriptor_); }

void MetricsLog::write(const std::vector<MetricsField>& fields) {
  Json object = Json::object();
  for (const MetricsField& field : fields) object[field.name] = json_of(field);
  // Text that is not UTF-8 gets replacement characters, which is better than to end a training.
  pending_ += object.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
  write_pending();
}

void MetricsLog::write_pending() {
  const off_t size_before = ::lseek(descriptor_, 0, SEEK_END);
  if (!write_all(descriptor_, pending_)) {
    const int error = errno;
    // Remove half a line, which would make the whole log unreadable. A device cannot be truncated.
    const bool cut = size_before < 0 || ::ftruncate(descriptor_, size_before) == 0;
    fail("metrics_log: cannot write '{}': {}{}", path_, system_reason(error),
         cut ? "" : "; its last line is incomplete");
  }
  pending_.clear();
}

void MetricsLog::sync() {
  struct stat opened, named;
  ATTUNE_CHECK(::fstat(descriptor_, &opened) == 0, "metrics_log: cannot write '{}': {}", path_,
               system_reason(errno));
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
      named.st_dev != opened.st_dev)
    make_anew();
  write_pending();
  ATTUNE_CHECK(::fsync(descriptor_) == 0 || errno == EINVAL,  // a pipe has no disk
               "metrics_log: cannot write '{}': {}", path_, system_reason(errno));
}

// Until its descriptor is closed, a removed file still has its content.
void MetricsLog::make_anew() {
  const int anew = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  ATTUNE_CHECK(anew >= 0, "metrics_log: cannot write '{}': {}", path_, system_reason(errno));
  char block[1 << 16];
  bool good = true;
  for (off_t at = 0; good;) {
    const ssize_t got = ::pread(descriptor_, block, sizeof block, at);
    if (got == 0) break;
    good = got > 0 && write_all(anew, std::string_view(block, static_cast<std::size_t>(got)));
    at += got;
  }
  if (!good) {
    const int error = errno;
    ::close(anew);
    ::unlink(path_.c_str());
    fail("metrics_log: cannot write '{}': {}", path_, system_reason(error));
  }
  ::close(std::exchange(descriptor_, anew));
}

std::int64_t MetricsLog::bytes() const {
  struct stat status;
  ATTUNE_CHECK(::fstat(descriptor_, &status) == 0, "metrics_log: cannot read '{}': {}", path_,
               system_reason(errno));
  return status.st_size;
}

}  // namespace attune
