#include "attune/train/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <string_view>
#include <utility>

#include "attune/autograd/array/error.h"
#include "attune/data/files.h"

namespace attune {
namespace {

bool is_file_of(const std::string& path, int descriptor) {
  struct stat named, opened;
  return ::stat(path.c_str(), &named) == 0 && ::fstat(descriptor, &opened) == 0 &&
         named.st_ino == opened.st_ino && named.st_dev == opened.st_dev;
}

// Some file systems do not support locks; trainings on them are not locked.
bool has_no_locks(int error) { return error == ENOTSUP || error == ENOSYS || error == ENOLCK; }

std::string process_in(int descriptor) {
  char text[32];
  const ssize_t got = ::pread(descriptor, text, sizeof text, 0);
  std::string_view digits(text, static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  digits = digits.substr(0, digits.find('\n'));
  const bool number = std::all_of(digits.begin(), digits.end(),
                                  [](unsigned char c) { return std::isdigit(c) != 0; });
  return number ? std::string(digits) : "";
}

}  // namespace

FileLock::FileLock(std::string path) : path_(std::move(path)) {
  for (;;) {
    descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    ATTUNE_CHECK(descriptor_ >= 0, "lock: cannot open '{}': {}", path_, system_reason(errno));
    int result;
    while ((result = ::flock(descriptor_, LOCK_EX | LOCK_NB)) != 0 && errno == EINTR) {
    }
    held_ = result == 0 || has_no_locks(errno);
    const int error = errno;
    // The previous holder may have just removed the file; the lock is then on a file without a
    // name.
    if (held_ && !in_place()) {
      ::close(descriptor_);
      continue;
    }
    if (held_) break;
    holder_ = process_in(descriptor_);
    ::close(std::exchange(descriptor_, -1));
    ATTUNE_CHECK(error == EWOULDBLOCK, "lock: cannot lock '{}': {}", path_, system_reason(error));
    return;
  }
  const std::string process = fmt::format("{}\n", ::getpid());
  // The process id is only for messages, so failure to write it on a full disk is not an error.
  const bool written = ::ftruncate(descriptor_, 0) == 0 &&
                       ::pwrite(descriptor_, process.data(), process.size(), 0) >= 0;
  static_cast<void>(written);
}

FileLock::FileLock(FileLock&& other) noexcept
    : path_(std::move(other.path_)),
      holder_(std::move(other.holder_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      held_(std::exchange(other.held_, false)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(holder_, other.holder_);
  std::swap(descriptor_, other.descriptor_);
  std::swap(held_, other.held_);
  return *this;
}

FileLock::~FileLock() {
  if (descriptor_ < 0) return;
  if (held_ && in_place()) ::unlink(path_.c_str());
  ::close(descriptor_);
}

bool FileLock::in_place() const { return descriptor_ >= 0 && is_file_of(path_, descriptor_); }

}  // namespace attune
