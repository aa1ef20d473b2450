#include "attune/train/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <system_error>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

std::string reason(int error) { return std::generic_category().message(error); }

// Closes on every way out.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags, 0666)) {}
  ~File() { close(); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  bool close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor < 0 || ::close(descriptor) == 0;
  }

 private:
  int descriptor_;
};

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace

void write_file_atomically(const std::string& path, std::string_view bytes) {
  struct stat status;
  // A rename would put a plain file where a device such as /dev/null was.
  ATTUNE_CHECK(
      ::stat(path.c_str(), &status) != 0 || S_ISREG(status.st_mode),
      "write_file: cannot write '{}': it is a folder, a pipe or a device; expected a plain file",
      path);
  const std::string beside = fmt::format("{}.tmp-{}", path, ::getpid());
  File file(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC);
  ATTUNE_CHECK(file.is_open(), "write_file: cannot write '{}': {}", path, reason(errno));
  if (write_all(file.descriptor(), bytes) && ::fsync(file.descriptor()) == 0 && file.close() &&
      std::rename(beside.c_str(), path.c_str()) == 0) {
    return;
  }
  const int error = errno;
  ::unlink(beside.c_str());
  fail("write_file: cannot write '{}': {}", path, reason(error));
}

std::string read_file(const std::string& path) {
  const File file(path, O_RDONLY | O_CLOEXEC);
  ATTUNE_CHECK(file.is_open(), "read_file: cannot read '{}': {}", path, reason(errno));
  std::string bytes;
  struct stat status;
  if (::fstat(file.descriptor(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(static_cast<std::size_t>(status.st_size));
  }
  char block[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.descriptor(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    ATTUNE_CHECK(got >= 0, "read_file: cannot read '{}': {}", path, reason(errno));
    if (got == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(got));
  }
}

}  // namespace attune
