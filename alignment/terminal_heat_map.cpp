#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <span>
#include <string_view>

#include <fmt/format.h>

#include "attune/alignment/heat_map.h"
#include "attune/alignment/heat_map_parts.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

using namespace heat_map;

std::string padding(int columns) { return std::string(static_cast<std::size_t>(columns), ' '); }

// The escape sequence that sets the background to the colour of `weight`.
std::string background(float weight, TerminalColor kind) {
  if (kind == TerminalColor::truecolor) {
    const Color color = color_of(weight, screen);
    return fmt::format("\x1b[48;2;{};{};{}m", red(color), green(color), blue(color));
  }
  // The xterm colours closest to the viridis map, chosen so that the brightness increases.
  constexpr std::array<int, 9> xterm = {53, 54, 60, 24, 30, 36, 71, 113, 220};
  return fmt::format("\x1b[48;5;{}m",
                     xterm[static_cast<std::size_t>(std::lround(8 * in_range(weight)))]);
}

std::string cell(float weight, TerminalColor color, int width) {
  if (color != TerminalColor::none) return background(weight, color) + padding(width);
  const std::size_t level = static_cast<std::size_t>(std::lround(4 * in_range(weight)));
  if (level == 0) return "·" + padding(width - 1);  // a dot makes rows and columns visible
  constexpr std::array<std::string_view, 5> shades = {"", "░", "▒", "▓", "█"};
  std::string result;
  for (int i = 0; i < width; ++i) result += shades[level];
  return result;
}

// The labels above the columns, each `width` wide: on one line if every label is one character,
// otherwise written vertically and aligned at the bottom.
std::string header(std::span<const std::string> labels, int indent, int width) {
  std::vector<std::vector<std::string>> letters;
  std::size_t height = 0;
  for (const std::string& label : labels) {
    letters.emplace_back();
    for (const std::string& character : utf8::characters(label)) {
      // A combining mark stays with its letter.
      if (utf8::display_width(character) == 0 && !letters.back().empty()) {
        letters.back().back() += character;
      } else {
        letters.back().push_back(character);
      }
    }
    height = std::max(height, letters.back().size());
  }
  std::string result;
  for (std::size_t line = 0; line < height; ++line) {
    std::string text = padding(indent);
    for (const std::vector<std::string>& label : letters) {
      const std::size_t skipped = height - label.size();
      const std::string letter = line < skipped ? "" : label[line - skipped];
      text += letter + padding(std::max(0, width - utf8::display_width(letter)));
    }
    text.erase(text.find_last_not_of(' ') + 1);
    result += text + '\n';
  }
  return result;
}

std::string legend(TerminalColor color, int indent, int columns) {
  const bool plain = color == TerminalColor::none;
  const int width = plain && columns >= indent + 14 ? 2 : 1;
  if (columns < indent + 9) indent = 0;
  const int steps = plain ? 5 : std::clamp(columns - indent - 4, 2, 17);
  std::string result = padding(indent) + "0 ";
  for (int i = 0; i < steps; ++i) {
    const float weight = static_cast<float>(i) / static_cast<float>(steps - 1);
    result += cell(weight, color, width);
  }
  return result + (plain ? " 1\n" : "\x1b[0m 1\n");
}

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

TerminalColor terminal_color(std::FILE* file) {
  const std::string_view depth = variable("COLORTERM");
  if (!::isatty(::fileno(file)) || !variable("NO_COLOR").empty() || variable("TERM") == "dumb")
    return TerminalColor::none;
  if (depth == "truecolor" || depth == "24bit") return TerminalColor::truecolor;
  const bool xterm256 = variable("TERM").find("256color") != std::string_view::npos;
  return xterm256 ? TerminalColor::xterm256 : TerminalColor::none;
}

std::string to_terminal(const Alignment& alignment, TerminalColor color, int columns) {
  alignment.check();
  const std::vector<std::string> sources = labels_of(alignment.source, 16);
  const std::vector<std::string> targets = labels_of(alignment.target, std::max(4, columns / 4));
  const int indent = widest(targets) + 1;
  const int room = std::max(2, columns - indent);

  const bool narrow = 2 * count(sources) > room && count(sources) <= room &&
                      std::all_of(sources.begin(), sources.end(), [](const std::string& label) {
                        return utf8::display_width(label) == count(utf8::characters(label));
                      });
  const int width = narrow ? 1 : 2;
  const int most = room / width;
  const int parts = std::max(1, (count(sources) + most - 1) / most);
  const int part_size = std::max(1, (count(sources) + parts - 1) / parts);

  std::string result;
  for (int first = 0; first < std::max(1, count(sources)); first += part_size) {
    const int last = std::min(first + part_size, count(sources));
    if (first > 0) result += '\n';
    result += header(std::span(sources).subspan(static_cast<std::size_t>(first),
                                                static_cast<std::size_t>(last - first)),
                     indent, width);
    for (int t = 0; t < count(targets); ++t) {
      const std::string& label = targets[static_cast<std::size_t>(t)];
      result += padding(indent - 1 - utf8::display_width(label)) + label + ' ';
      for (int s = first; s < last; ++s) result += cell(alignment.weight(t, s), color, width);
      result += color == TerminalColor::none ? "\n" : "\x1b[0m\n";
    }
  }
  return result + '\n' + legend(color, indent, columns);
}

}  // namespace attune
