#include "terminal.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "attune/data/utf8.h"
#include "attune/train/progress.h"

namespace seq2seq {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

attune::TerminalColor terminal_color() {
  const std::string_view depth = variable("COLORTERM");
  if (!::isatty(STDOUT_FILENO) || !variable("NO_COLOR").empty() || variable("TERM") == "dumb")
    return attune::TerminalColor::none;
  if (depth == "truecolor" || depth == "24bit") return attune::TerminalColor::truecolor;
  const bool xterm256 = variable("TERM").find("256color") != std::string_view::npos;
  return xterm256 ? attune::TerminalColor::xterm256 : attune::TerminalColor::none;
}

int terminal_columns() { return attune::columns_of_terminal(stdout); }

std::string without_controls(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\t\n"), text.size());
    result += attune::utf8::printable(text.substr(0, end));
    if (end < text.size()) result += text[end];
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result;
}

std::string shown(std::string_view text) {
  return ::isatty(STDOUT_FILENO) ? without_controls(text) : std::string(text);
}

}  // namespace seq2seq
