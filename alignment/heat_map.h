#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

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

/// One of the heat maps of a figure.
struct AlignmentPanel {
  Alignment alignment;
  std::string caption = {};  ///< written below it, such as "head 2"
};

/// A picture of one or more alignments of the same source and target, such as those of all heads.
struct AlignmentFigure {
  std::string title;
  std::vector<AlignmentPanel> panels;
  int columns = 1;  ///< the number of panels next to each other
};

/// A figure as a self-contained SVG picture with its own background: source along the top, target
/// down the side, a colour bar from 0 to 1, and every weight as a tooltip. Labels of more than 24
/// columns are shortened, with the whole token as a tooltip. A title wider than the picture is
/// wrapped to at most three lines; the rest is cut. The space for text is estimated generously,
/// because the fonts of the viewer are not known; the bytes depend on the figure only.
/// Errors: as Alignment::check(); there are no panels, or their tokens differ; `columns` is below
/// 1; a text is not UTF-8.
std::string to_svg(const AlignmentFigure& figure);
std::string to_svg(const Alignment& alignment, std::string_view title);

/// The same picture as a PNG file with two pixels for each of the SVG's, or fewer if it would have
/// more than 32,000 in a row or 100 million in all, or as a PDF page, whose text can be searched.
/// Both have the fonts of this machine, and room for text as these measure it.
/// Errors: as to_svg() and require_cairo().
std::string to_png(const AlignmentFigure& figure);
std::string to_pdf(const AlignmentFigure& figure);

/// Whether this library was built with cairo and pango, which draw PNG and PDF files.
bool has_cairo();
/// Errors: it was not; the message begins with `operation` and says what to install.
void require_cairo(std::string_view operation);

}  // namespace attune
