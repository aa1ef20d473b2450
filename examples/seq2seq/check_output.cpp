#include <filesystem>

#include "attune/autograd/array/error.h"
#include "commands.h"

namespace seq2seq {

void check_output(const char* flag, const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  ATTUNE_CHECK(!std::filesystem::is_directory(path), "{}: '{}' is a folder; expected a file", flag,
               path);
  ATTUNE_CHECK(folder.empty() || std::filesystem::is_directory(folder),
               "{}: there is no folder '{}'", flag, folder.string());
}

}  // namespace seq2seq
