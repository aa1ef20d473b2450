#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/alignment/heat_map.h"
#include "attune/alignment/heat_map_parts.h"

// The layout of a figure, which is the same for all file formats: where its texts, cells and colour
// bar are. Lengths are in pixels of 1/96 inch, y points down.
namespace attune::heat_map {

inline constexpr Color kInk = 0x1F2328, kGrey = 0x57606A;

enum class Font { sans, bold, mono };
enum class Anchor { start, middle, end };

// A line of text. (x, y) is the place of the anchor on the baseline.
struct Text {
  double x, y;
  Anchor anchor;
  int angle;  // in degrees, counterclockwise
  std::string text;
  std::string tooltip = {};
};

struct TextGroup {
  Font font;
  double size;
  Color color;
  std::vector<Text> texts;
};

struct Cell {
  double x, y;
  Color color;
  std::string tooltip;
};

struct Picture {
  double width, height;  // whole numbers
  std::string title;
  std::vector<TextGroup> texts;
  double cell_size;
  std::vector<Cell> cells;
  double bar_x, bar_y, bar_width, bar_height;  // the colour bar, `paper` from the bottom to the top
  std::vector<double> ticks;                   // y of lines of kTick pixels to the right of the bar
};

inline constexpr double kTick = 4;

// The width of a line of text.
using TextWidth = std::function<double(std::string_view text, Font font, double size)>;

// The width that a line of text hardly exceeds in any usual font.
double estimated_width(std::string_view text, Font font, double size);

// Errors: as to_svg().
Picture lay_out(const AlignmentFigure& figure, const TextWidth& width_of);

}  // namespace attune::heat_map
