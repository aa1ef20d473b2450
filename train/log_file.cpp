#include "attune/train/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/data/files.h"

namespace attune {

LogFile::LogFile(std::string path)
    : path_(std::move(path)),
      descriptor_(::open(path_.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) {
  ATTUNE_CHECK(descriptor_ >= 0, "log_file: cannot open '{}': {}", path_, system_reason(errno));
}

LogFile::LogFile(std::string path, std::int64_t bytes) : LogFile(std::move(path)) {
  const std::int64_t found = this->bytes();
  ATTUNE_CHECK(found >= bytes, "log_file: '{}' has {} bytes, but {} were written; was it changed?",
               path_, found, bytes);
  ATTUNE_CHECK(found == bytes || ::ftruncate(descriptor_, bytes) == 0,
               "log_file: cannot cut '{}': {}", path_, system_reason(errno));
}

LogFile::~LogFile() { ::close(descriptor_); }

void LogFile::append(std::string_view entry) {
  pending_ += entry;
  write_pending();
}

void LogFile::write_pending() {
  const off_t size_before = ::lseek(descriptor_, 0, SEEK_END);
  if (!write_all(descriptor_, pending_)) {
    const int error = errno;
    // Remove half an entry, which would make the whole log unreadable. A device cannot be
    // truncated.
    const bool cut = size_before < 0 || ::ftruncate(descriptor_, size_before) == 0;
    fail("log_file: cannot write '{}': {}{}", path_, system_reason(error),
         cut ? "" : "; its last entry is incomplete");
  }
  pending_.clear();
}

void LogFile::sync() {
  struct stat opened, named;
  ATTUNE_CHECK(::fstat(descriptor_, &opened) == 0, "log_file: cannot write '{}': {}", path_,
               system_reason(errno));
  if (::stat(path_.c_str(), &named) != 0 || named.st_ino != opened.st_ino ||
      named.st_dev != opened.st_dev)
    make_anew();
  write_pending();
  ATTUNE_CHECK(::fsync(descriptor_) == 0 || errno == EINVAL,  // a pipe has no disk
               "log_file: cannot write '{}': {}", path_, system_reason(errno));
}

// Until its descriptor is closed, a removed file still has its content.
void LogFile::make_anew() {
  const int anew = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  ATTUNE_CHECK(anew >= 0, "log_file: cannot write '{}': {}", path_, system_reason(errno));
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
    fail("log_file: cannot write '{}': {}", path_, system_reason(error));
  }
  ::close(std::exchange(descriptor_, anew));
}

std::int64_t LogFile::bytes() const {
  struct stat status;
  ATTUNE_CHECK(::fstat(descriptor_, &status) == 0, "log_file: cannot read '{}': {}", path_,
               system_reason(errno));
  return status.st_size;
}

}  // namespace attune
