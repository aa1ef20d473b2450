#include "attune/data/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "attune/autograd/array/error.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

// The names of temporary files: .attune-PROCESS-NUMBER.tmp
constexpr std::string_view kTemporary = ".attune-", kTemporaryEnd = ".tmp";

// A file descriptor that is closed at the end of its scope.
class File {
 public:
  File(const std::string& path, int flags) : descriptor_(::open(path.c_str(), flags, 0666)) {}
  ~File() { close(); }
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;

  bool is_open() const { return descriptor_ >= 0; }
  int descriptor() const { return descriptor_; }

  bool close() {
    const int descriptor = std::exchange(descriptor_, -1);
    return descriptor < 0 || ::close(descriptor) == 0;
  }

 private:
  int descriptor_;
};

// Follows symbolic links to the path of the actual file, which need not exist.
fs::path destination_of(const std::string& path) {
  constexpr int kMostLinks = 40;
  fs::path at = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(fs::symlink_status(at, error)); ++links) {
    ATTUNE_CHECK(links < kMostLinks, "write_file: cannot write '{}': {}", path,
                 system_reason(ELOOP));
    const fs::path next = fs::read_symlink(at, error);
    if (error) break;
    at = at.parent_path() / next;  // an absolute `next` stays as it is
  }
  return at;
}

// Creates a temporary file. Never opens an existing file or follows a symbolic link.
std::pair<File, std::string> new_file_in(const fs::path& folder) {
  static std::atomic<std::uint64_t> count = 0;
  for (;;) {
    const std::string path =
        (folder / fmt::format("{}{}-{}{}", kTemporary, ::getpid(), count++, kTemporaryEnd))
            .string();
    File file(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC);
    if (file.is_open() || errno != EEXIST) return {std::move(file), path};
  }
}

// Gives a new file the mode and the owner of the file that it will replace. Failure to set the
// owner is ignored.
bool take_over(int descriptor, const struct stat& old) {
  struct stat now;
  if (::fstat(descriptor, &now) != 0) return false;
  if (now.st_uid != old.st_uid || now.st_gid != old.st_gid) {
    const int ignored = ::fchown(descriptor, old.st_uid, old.st_gid);
    static_cast<void>(ignored);
  }
  return ::fchmod(descriptor, old.st_mode & 07777) == 0;
}

}  // namespace

std::string system_reason(int error) { return std::generic_category().message(error); }

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

void write_file_atomically(const std::string& path, std::string_view bytes) {
  write_file_atomically(path, std::span(&bytes, 1));
}

void write_file_atomically(const std::string& path, std::span<const std::string_view> parts) {
  struct stat status;
  const bool replaces = ::stat(path.c_str(), &status) == 0;
  // A rename would replace a device such as /dev/null with a plain file.
  ATTUNE_CHECK(
      !replaces || S_ISREG(status.st_mode),
      "write_file: cannot write '{}': it is a folder, a pipe or a device; expected a plain file",
      path);
  const fs::path destination = destination_of(path);
  const fs::path folder = destination.has_parent_path() ? destination.parent_path() : ".";
  auto [file, beside] = new_file_in(folder);
  ATTUNE_CHECK(file.is_open(), "write_file: cannot write '{}': {}", path, system_reason(errno));
  bool good = !replaces || take_over(file.descriptor(), status);
  for (const std::string_view bytes : parts) good = good && write_all(file.descriptor(), bytes);
  if (good && ::fsync(file.descriptor()) == 0 && file.close() &&
      std::rename(beside.c_str(), destination.c_str()) == 0) {
    sync_folder(folder.string());
    return;
  }
  const int error = errno;
  ::unlink(beside.c_str());
  fail("write_file: cannot write '{}': {}", path, system_reason(error));
}

bool is_temporary_file(std::string_view name) {
  return name.starts_with(kTemporary) && name.ends_with(kTemporaryEnd);
}

void remove_temporary_files(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (is_temporary_file(entry->path().filename().string())) fs::remove(entry->path(), ignored);
  }
}

void sync_folder(const std::string& folder) {
  const File opened(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened.is_open()) ::fsync(opened.descriptor());
}

std::string read_file(const std::string& path) {
  const File file(path, O_RDONLY | O_CLOEXEC);
  ATTUNE_CHECK(file.is_open(), "read_file: cannot read '{}': {}", path, system_reason(errno));
  std::string bytes;
  struct stat status;
  if (::fstat(file.descriptor(), &status) == 0 && S_ISREG(status.st_mode)) {
    bytes.reserve(static_cast<std::size_t>(status.st_size));
  }
  char block[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.descriptor(), block, sizeof block);
    if (got < 0 && errno == EINTR) continue;
    ATTUNE_CHECK(got >= 0, "read_file: cannot read '{}': {}", path, system_reason(errno));
    if (got == 0) return bytes;
    bytes.append(block, static_cast<std::size_t>(got));
  }
}

std::string numbered_file(const std::string& file, std::int64_t number) {
  if (number == 1) return file;
  const fs::path path(file);
  const std::string name =
      fmt::format("{}-{}{}", path.stem().string(), number, path.extension().string());
  return (path.parent_path() / name).string();
}

void occupy_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    while (::fcntl(stream, F_GETFD) < 0 && ::open("/dev/null", O_RDONLY) >= 0) {
    }
}

}  // namespace attune
