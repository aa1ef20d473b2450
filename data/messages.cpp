#include "attune/data/messages.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "attune/data/utf8.h"

namespace attune {

std::string program_name() {
#if defined(__GLIBC__)
  return program_invocation_short_name;
#else
  return ::getprogname();
#endif
}

std::string without_controls(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\t\n"), text.size());
    result += utf8::printable(text.substr(0, end));
    if (end < text.size()) result += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string shown(std::string_view text) {
  return ::isatty(STDOUT_FILENO) ? without_controls(text) : std::string(text);
}

}  // namespace attune
