#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace attune {

/// The bytes of a file as memory, of which the system reads what is used, and which programs that
/// map the same file share. Replacing the file with write_file_atomically() does not change them.
class MappedFile {
 public:
  /// Errors: the file cannot be read (the message gives the path and the system's reason).
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return {static_cast<const char*>(memory_), size_}; }

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace attune
