#include "attune/data/spooled_lines.h"

#include <stdlib.h>  // mkstemp
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "attune/autograd/array/error.h"
#include "attune/data/files.h"

namespace attune {

SpooledLines::SpooledLines() : folder_(std::filesystem::temp_directory_path().string()) {
  std::string path = folder_ + "/attune-lines-XXXXXX";
  const int descriptor = ::mkstemp(path.data());
  ATTUNE_CHECK(descriptor >= 0, "cannot create a temporary file in '{}': {}", folder_,
               system_reason(errno));
  ::unlink(path.c_str());
  file_.reset(::fdopen(descriptor, "w+"));
  ATTUNE_CHECK(file_ != nullptr, "cannot open a temporary file: {}", system_reason(errno));
}

void SpooledLines::add(std::string_view line) {
  const bool is_written = std::fwrite(line.data(), 1, line.size(), file_.get()) == line.size() &&
                          std::fputc('\n', file_.get()) != EOF;
  ATTUNE_CHECK(is_written, "cannot write a temporary file in '{}': {}; TMPDIR names another folder",
               folder_, system_reason(errno));
}

void SpooledLines::rewind() {
  ATTUNE_CHECK(std::fseek(file_.get(), 0, SEEK_SET) == 0,
               "cannot write a temporary file in '{}': {}; TMPDIR names another folder", folder_,
               system_reason(errno));
}

bool SpooledLines::next(std::string& line) {
  line.clear();
  int byte = 0;
  while ((byte = ::getc_unlocked(file_.get())) != EOF && byte != '\n')
    line += static_cast<char>(byte);
  ATTUNE_CHECK(std::ferror(file_.get()) == 0, "cannot read a temporary file in '{}': {}", folder_,
               system_reason(errno));
  return byte != EOF;
}

}  // namespace attune
