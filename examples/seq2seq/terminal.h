#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "attune/alignment/all.h"

namespace seq2seq {

/// What standard output can show: colours where it is a terminal that has them and NO_COLOR is not
/// set (no-color.org), nor TERM=dumb.
attune::TerminalColor terminal_color();

/// Columns for standard output, see attune::columns_of_terminal().
int terminal_columns();

/// `text` with its control characters but TAB and line feed made visible, see utf8::printable().
std::string without_controls(std::string_view text);

/// `text` for standard output: as it is for a file or a pipe, without_controls() for a terminal, so
/// that no data drives it.
std::string shown(std::string_view text);

/// Writes to standard error what a training must not end for when nobody listens any more: where
/// fmt::print() throws, this goes on. Control characters are made visible.
template <typename... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  std::fputs(without_controls(fmt::format(text, std::forward<Args>(args)...)).c_str(), stderr);
}

}  // namespace seq2seq
