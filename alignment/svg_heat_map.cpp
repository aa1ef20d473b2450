#include <string>
#include <string_view>

#include <fmt/format.h>

#include "attune/alignment/picture.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

using namespace heat_map;

std::string escaped(std::string_view text) {
  std::string result;
  for (const char character : text) {
    switch (character) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += character;
    }
  }
  return result;
}

std::string hex(Color color) { return fmt::format("#{:06x}", color); }

// The attributes of a font, except those of the whole picture.
std::string_view attributes_of(Font font) {
  switch (font) {
    case Font::sans:
      return "";
    case Font::bold:
      return " font-weight=\"600\"";
    case Font::mono:
      break;
  }
  return " font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', "
         "monospace\"";
}

std::string_view attribute_of(Anchor anchor) {
  switch (anchor) {
    case Anchor::start:
      return "";
    case Anchor::middle:
      return " text-anchor=\"middle\"";
    case Anchor::end:
      break;
  }
  return " text-anchor=\"end\"";
}

std::string svg_text(const Text& text) {
  const std::string place = text.angle == 0
                                ? fmt::format("x=\"{:.1f}\" y=\"{:.1f}\"", text.x, text.y)
                                : fmt::format("transform=\"translate({:.1f} {:.1f}) rotate({})\"",
                                              text.x, text.y, -text.angle);
  const std::string tooltip =
      text.tooltip.empty() ? "" : fmt::format("<title>{}</title>", escaped(text.tooltip));
  return fmt::format("<text {}{}>{}{}</text>\n", place, attribute_of(text.anchor), tooltip,
                     escaped(text.text));
}

std::string svg_texts(const TextGroup& group) {
  if (group.texts.empty()) return "";
  std::string result = fmt::format("<g font-size=\"{}\" fill=\"{}\"{}>\n", group.size,
                                   hex(group.color), attributes_of(group.font));
  for (const Text& text : group.texts) result += svg_text(text);
  return result + "</g>\n";
}

std::string svg_cells(const Picture& picture) {
  std::string result = "<g shape-rendering=\"crispEdges\">\n";
  for (const Cell& cell : picture.cells)
    result += fmt::format(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"><title>{}</title></rect>\n",
        cell.x, cell.y, picture.cell_size, picture.cell_size, hex(cell.color),
        escaped(cell.tooltip));
  return result + "</g>\n";
}

std::string svg_color_bar(const Picture& picture) {
  std::string result =
      "<defs><linearGradient id=\"attune-weight\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">";
  for (std::size_t i = 0; i < paper.size(); ++i)
    result += fmt::format("<stop offset=\"{}\" stop-color=\"{}\"/>",
                          static_cast<double>(i) / (paper.size() - 1), hex(paper[i]));
  result += fmt::format(
      "</linearGradient></defs>\n"
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\" rx=\"2\" "
      "fill=\"url(#attune-weight)\"/>\n<path stroke=\"{}\" d=\"",
      picture.bar_x, picture.bar_y, picture.bar_width, picture.bar_height, hex(kGrey));
  for (const double y : picture.ticks)
    result += fmt::format("M{:.1f} {:.1f}h{}", picture.bar_x + picture.bar_width, y, kTick);
  return result + "\"/>\n";
}

}  // namespace

std::string alignment_title(std::string_view source, std::string_view target) {
  return fmt::format("{} → {}", utf8::isolated(utf8::printable(source)),
                     utf8::isolated(utf8::printable(target)));
}

std::string to_svg(const AlignmentFigure& figure) {
  const Picture picture = lay_out(figure, estimated_width);
  std::string result = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{4}\" font-family=\"system-ui, "
      "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">\n"
      "<rect x=\"0.5\" y=\"0.5\" width=\"{2}\" height=\"{3}\" rx=\"8\" fill=\"#ffffff\" "
      "stroke=\"#d0d7de\"/>\n",
      picture.width, picture.height, picture.width - 1, picture.height - 1,
      picture.title.empty() ? "alignment" : escaped(picture.title));
  for (const TextGroup& group : picture.texts) result += svg_texts(group);
  return result + svg_cells(picture) + svg_color_bar(picture) + "</svg>\n";
}

std::string to_svg(const Alignment& alignment, std::string_view title) {
  return to_svg(AlignmentFigure{std::string(title), {{alignment}}});
}

}  // namespace attune
