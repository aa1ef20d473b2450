#include "attune/data/messages.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdlib>

#include "attune/data/utf8.h"

namespace attune {
namespace {

std::string as_it_is(std::string_view option) { return std::string(option); }

std::string (*name_of_option)(std::string_view) = as_it_is;

}  // namespace

std::string program_name() {
#if defined(__GLIBC__)
  return program_invocation_short_name;
#else
  return ::getprogname();
#endif
}

std::string option_name(std::string_view option) { return name_of_option(option); }

void set_option_names(std::string (*name)(std::string_view option)) { name_of_option = name; }

std::string with_option_names(std::string_view text) {
  std::string result;
  for (bool is_option = false;; is_option = !is_option) {
    const std::size_t end = std::min(text.find('`'), text.size());
    const std::string_view part = text.substr(0, end);
    result += is_option ? option_name(part) : std::string(part);
    if (end == text.size()) return result;
    text.remove_prefix(end + 1);
  }
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
