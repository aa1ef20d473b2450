#include "attune/data/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "attune/autograd/array/error.h"
#include "attune/data/files.h"

namespace attune {

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status = {};
  bool is_read = descriptor >= 0 && ::fstat(descriptor, &status) == 0;
  if (is_read && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    memory_ = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
    is_read = memory_ != MAP_FAILED;
  }
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  ATTUNE_CHECK(is_read, "cannot read '{}': {}", path, system_reason(error));
}

MappedFile::~MappedFile() {
  if (size_ > 0) ::munmap(memory_, size_);
}

}  // namespace attune
