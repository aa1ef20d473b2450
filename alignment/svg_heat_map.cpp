#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "attune/alignment/heat_map.h"
#include "attune/alignment/heat_map_parts.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

using namespace heat_map;

// `text` escaped for XML; control characters, and others that XML 1.0 forbids, become U+FFFD.
std::string escaped(std::string_view text) {
  std::string result;
  for (const std::string& character : utf8::characters(text)) {
    if (character == "&") {
      result += "&amp;";
    } else if (character == "<") {
      result += "&lt;";
    } else if (character == ">") {
      result += "&gt;";
    } else if (character == "\"") {
      result += "&quot;";
    } else if (static_cast<unsigned char>(character[0]) < 0x20 || character == "\uFFFE" ||
               character == "\uFFFF") {
      result += "\uFFFD";
    } else {
      result += character;
    }
  }
  return result;
}

std::string hex(Color color) { return fmt::format("#{:06x}", color); }

// Wraps `text` into at most `most` lines of at most `width` columns, between words if possible, and
// cuts the rest.
std::vector<std::string> wrapped(std::string_view text, int width, std::size_t most) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() + 1 < most && utf8::display_width(text) > width) {
    std::size_t end = 0, space = 0;
    int columns = 0;
    for (const std::string& character : utf8::characters(text)) {
      columns += utf8::display_width(character);
      if (character == " ") space = end;
      if (columns > width) break;
      end += character.size();
    }
    if (space > 0) end = space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  if (!text.empty()) lines.push_back(utf8::shortened(text, width));
  return lines;
}

// The layout in pixels, computed from the title, the number of tokens and the widths of labels.
struct Layout {
  static constexpr double margin = 20, axis_title = 22, label_gap = 7;
  static constexpr double bar_gap = 26, bar_width = 14, bar_labels = 62;
  static constexpr double title_column = 9.5, title_line = 19, narrow_title = 260;
  static constexpr int longest_label = 24;

  std::vector<std::string> sources, targets, title_lines;
  bool slanted;  // whether source labels are rotated by 45 degrees
  double cell, font, left, top, width, height, total_width, bar_height;

  Layout(const Alignment& alignment, std::string_view title)
      : sources(labels_of(alignment.source, longest_label)),
        targets(labels_of(alignment.target, longest_label)),
        slanted(widest(sources) > 2) {
    const double cells = std::max({1, count(sources), count(targets)});
    cell = std::clamp(std::floor(600 / cells), 8.0, 32.0);
    font = std::clamp(std::round(0.55 * cell), 7.0, 14.0);
    width = cell * std::max(1, count(sources));
    height = cell * std::max(1, count(targets));
    left = margin + axis_title + text_width(widest(targets)) + label_gap;
    // The picture of a small map is widened to make room for the title, or for narrow_title pixels
    // of it.
    const double beside = std::max(overhang(), bar_gap + bar_width + bar_labels);
    const double title_width = std::min(title_column * utf8::display_width(title), narrow_title);
    total_width = std::max(left + width + beside, margin + title_width) + margin;
    title_lines = wrapped(title, static_cast<int>((total_width - 2 * margin) / title_column), 3);
    const double title_height =
        title_lines.empty() ? 0 : 30 + title_line * static_cast<double>(title_lines.size() - 1);
    top = margin + title_height + axis_title + label_height() + label_gap;
    bar_height = std::clamp(height, 96.0, 260.0);
  }

  // The width of text in a monospaced font, whose characters are about 0.6 em wide.
  double text_width(int columns) const { return 0.61 * font * columns; }
  double label_height() const {
    return slanted ? slant * (text_width(widest(sources)) + font) : font;
  }
  // How far slanted labels extend beyond the last column.
  double overhang() const {
    double right = 0;
    for (int s = 0; slanted && s < count(sources); ++s) {
      const int columns = utf8::display_width(sources[static_cast<std::size_t>(s)]);
      right = std::max(right, (s + 0.5) * cell + slant * (text_width(columns) + font));
    }
    return std::max(0.0, right - width);
  }
  double total_height() const { return top + std::max(height, bar_height) + margin; }

 private:
  static constexpr double slant = 0.7071;  // sine and cosine of 45 degrees
};

std::string svg_labels(const Layout& at) {
  std::string result = fmt::format(
      "<g font-family=\"ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', "
      "monospace\" font-size=\"{}\" fill=\"#1f2328\">\n",
      at.font);
  for (int s = 0; s < count(at.sources); ++s) {
    const double x = at.left + (s + 0.5) * at.cell, y = at.top - Layout::label_gap;
    const std::string text = escaped(at.sources[static_cast<std::size_t>(s)]);
    if (at.slanted) {
      result += fmt::format("<text transform=\"translate({:.1f} {:.1f}) rotate(-45)\">{}</text>\n",
                            x + 0.35 * at.font, y, text);
    } else {
      result += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n", x,
                            y, text);
    }
  }
  for (int t = 0; t < count(at.targets); ++t) {
    result +=
        fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                    at.left - Layout::label_gap, at.top + (t + 0.5) * at.cell + 0.35 * at.font,
                    escaped(at.targets[static_cast<std::size_t>(t)]));
  }
  return result + "</g>\n";
}

std::string svg_cells(const Alignment& alignment, const Layout& at) {
  const double gap = at.cell >= 14 ? 1 : 0;
  std::string result = "<g shape-rendering=\"crispEdges\">\n";
  for (int t = 0; t < count(at.targets); ++t) {
    for (int s = 0; s < count(at.sources); ++s) {
      const float weight = alignment.weight(t, s);
      result += fmt::format(
          "<rect x=\"{:.0f}\" y=\"{:.0f}\" width=\"{}\" height=\"{}\" fill=\"{}\">"
          "<title>{} → {}: {:.3f}</title></rect>\n",
          at.left + s * at.cell, at.top + t * at.cell, at.cell - gap, at.cell - gap,
          hex(color_of(weight, paper)),
          escaped(utf8::isolated(at.sources[static_cast<std::size_t>(s)])),
          escaped(utf8::isolated(at.targets[static_cast<std::size_t>(t)])), weight);
    }
  }
  return result + "</g>\n";
}

std::string svg_color_bar(const Layout& at) {
  const double x = at.left + at.width + Layout::bar_gap;
  std::string result =
      "<defs><linearGradient id=\"attune-weight\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">";
  for (std::size_t i = 0; i < paper.size(); ++i) {
    result += fmt::format("<stop offset=\"{}\" stop-color=\"{}\"/>",
                          static_cast<double>(i) / (paper.size() - 1), hex(paper[i]));
  }
  result += fmt::format(
      "</linearGradient></defs>\n"
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{:.1f}\" rx=\"2\" "
      "fill=\"url(#attune-weight)\"/>\n<g font-size=\"11\" fill=\"#57606a\">\n",
      x, at.top, Layout::bar_width, at.bar_height);
  for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
    const double y = at.top + (1 - tick) * at.bar_height;
    const double end = x + Layout::bar_width;
    result += fmt::format(
        "<path d=\"M{:.1f} {:.1f}h4\" stroke=\"#57606a\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{:g}"
        "</text>\n",
        end, y, end + 7, y + 4, tick);
  }
  return result + fmt::format(
                      "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\" font-size=\"12\" "
                      "text-anchor=\"middle\">weight</text>\n</g>\n",
                      x + Layout::bar_width + Layout::bar_labels - 12, at.top + at.bar_height / 2);
}

}  // namespace

std::string alignment_title(std::string_view source, std::string_view target) {
  return fmt::format("{} → {}", utf8::isolated(utf8::printable(source)),
                     utf8::isolated(utf8::printable(target)));
}

std::string to_svg(const Alignment& alignment, std::string_view title) {
  alignment.check();
  const Layout at(alignment, title);
  const double width = std::ceil(at.total_width), height = std::ceil(at.total_height());
  std::string result = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" "
      "viewBox=\"0 0 {0} {1}\" role=\"img\" aria-label=\"{4}\" font-family=\"system-ui, "
      "-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif\">\n"
      "<rect x=\"0.5\" y=\"0.5\" width=\"{2}\" height=\"{3}\" rx=\"8\" fill=\"#ffffff\" "
      "stroke=\"#d0d7de\"/>\n",
      width, height, width - 1, height - 1, title.empty() ? "alignment" : escaped(title));
  for (std::size_t i = 0; i < at.title_lines.size(); ++i) {
    result += fmt::format(
        "<text x=\"{}\" y=\"{}\" font-size=\"15\" font-weight=\"600\" fill=\"#1f2328\">{}"
        "</text>\n",
        Layout::margin, Layout::margin + 14 + Layout::title_line * static_cast<double>(i),
        escaped(at.title_lines[i]));
  }
  result += fmt::format(
      "<g font-size=\"12\" fill=\"#57606a\" text-anchor=\"middle\">\n"
      "<text x=\"{:.1f}\" y=\"{:.1f}\">source</text>\n"
      "<text transform=\"translate({:.1f} {:.1f}) rotate(-90)\">target</text>\n</g>\n",
      at.left + at.width / 2,
      at.top - Layout::label_gap - at.label_height() - Layout::axis_title + 12, Layout::margin + 10,
      at.top + at.height / 2);
  return result + svg_labels(at) + svg_cells(alignment, at) + svg_color_bar(at) + "</svg>\n";
}

}  // namespace attune
