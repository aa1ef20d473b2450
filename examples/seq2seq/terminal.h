#pragma once

#include <fmt/core.h>

#include <cstdio>
#include <utility>

#include "attune/seq2seq/alignment.h"

namespace seq2seq {

/// What standard output can show: colours where it is a terminal that has them and NO_COLOR is not
/// set (no-color.org).
attune::TerminalColor terminal_color();

/// Columns of the terminal that standard output is; 80 if it is none.
int terminal_columns();

/// Writes to standard error what a training must not end for when nobody listens any more: where
/// fmt::print() throws, this goes on.
template <typename... Args>
void tell(fmt::format_string<Args...> text, Args&&... args) {
  std::fputs(fmt::format(text, std::forward<Args>(args)...).c_str(), stderr);
}

}  // namespace seq2seq
