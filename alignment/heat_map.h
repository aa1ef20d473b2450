#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "attune/alignment/alignment.h"

namespace attune {

/// The colours that a terminal supports: none (weights are then drawn with block characters), the
/// 256 colours of xterm, or 24-bit colours.
enum class TerminalColor { none, xterm256, truecolor };

/// The colours that the terminal `file` supports according to TERM and COLORTERM; none if `file` is
/// not a terminal or NO_COLOR is set (no-color.org).
TerminalColor terminal_color(std::FILE* file);

/// The title of a heat map, "source → target". Control characters are made visible, and
/// right-to-left text is put between Unicode isolates, so that the arrow points from the source to
/// the target.
std::string alignment_title(std::string_view source, std::string_view target);

/// A heat map for a terminal of `columns` columns: a row for each target token, a column for each
/// source token, and a legend. Every line ends with a line feed. Source tokens of more than one
/// character are written vertically. If the source is too wide for the terminal, the columns are
/// drawn narrower, then the map is split into parts one below the other. Without colour, weights
/// are rounded to 0, 1/4, 1/2, 3/4 or 1.
std::string to_terminal(const Alignment& alignment, TerminalColor color, int columns = 80);

/// A heat map as a self-contained SVG picture with its own background: source along the top, target
/// down the side, a colour bar from 0 to 1, and every weight as a tooltip. A title wider than the
/// picture is wrapped to at most three lines; the rest is cut.
std::string to_svg(const Alignment& alignment, std::string_view title);

}  // namespace attune
