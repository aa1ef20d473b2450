#include "terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace seq2seq {
namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

attune::TerminalColor terminal_color() {
  const std::string_view depth = variable("COLORTERM");
  if (!::isatty(STDOUT_FILENO) || !variable("NO_COLOR").empty()) return attune::TerminalColor::none;
  if (depth == "truecolor" || depth == "24bit") return attune::TerminalColor::truecolor;
  const bool xterm256 = variable("TERM").find("256color") != std::string_view::npos;
  return xterm256 ? attune::TerminalColor::xterm256 : attune::TerminalColor::none;
}

int terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 80;
}

}  // namespace seq2seq
