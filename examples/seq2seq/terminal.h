#pragma once

#include "attune/seq2seq/alignment.h"

namespace seq2seq {

/// What standard output can show: colours where it is a terminal that has them and NO_COLOR is not
/// set (no-color.org).
attune::TerminalColor terminal_color();

/// Columns of the terminal that standard output is; 80 if it is none.
int terminal_columns();

}  // namespace seq2seq
