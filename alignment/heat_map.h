#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "attune/alignment/alignment.h"

namespace attune {

/// What a terminal can show: plain block characters, the 256 colours of xterm, or 24-bit colour.
enum class TerminalColor { none, xterm256, truecolor };

/// What the terminal that `file` is can show, as TERM and COLORTERM say; none where it is no
/// terminal or NO_COLOR is set (no-color.org).
TerminalColor terminal_color(std::FILE* file);

/// "source → target", the title of an alignment's pictures. Control characters are made visible,
/// and right-to-left text is put between Unicode isolates, so that the arrow points from the source
/// to the target.
std::string alignment_title(std::string_view source, std::string_view target);

/// A heat map for a terminal of `columns` columns, each line ended by a line feed: a row for each
/// target token, a column for each source token, and a legend. Longer source tokens are written
/// downwards; a source too wide for the terminal is drawn narrower, then in several parts one
/// below the other. Without colour the shades are the nearest of 0, 1/4, 1/2, 3/4 and 1.
std::string to_terminal(const Alignment& alignment, TerminalColor color, int columns = 80);

/// A heat map as a self-contained SVG picture on a background of its own: source along the top,
/// target down the side, a colour bar from 0 to 1, and every weight as a tooltip. It is as wide as
/// the map needs; a longer title is wrapped to up to three lines and then cut.
std::string to_svg(const Alignment& alignment, std::string_view title);

}  // namespace attune
