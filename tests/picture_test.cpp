// Pictures of alignments: their layout, which is the same for all formats, and their files.
#include "attune/alignment/picture.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"
#include "catch.h"

using namespace attune;
using namespace attune::heat_map;

namespace {

using Tokens = std::vector<std::string>;

// `count` tokens, taken from `kinds` in turn.
Tokens repeated(const Tokens& kinds, std::size_t count) {
  Tokens tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(kinds[i % kinds.size()]);
  return tokens;
}

AlignmentFigure figure_of(const Tokens& source, const Tokens& target, int panels = 1,
                          int columns = 1, const std::string& caption = "head ") {
  AlignmentFigure figure{"source → target", {}, columns};
  for (int i = 1; i <= panels; ++i)
    figure.panels.push_back(
        {{source, target, std::vector<float>(source.size() * target.size(), 0.5f)},
         panels > 1 ? caption + std::to_string(i) : ""});
  return figure;
}

// The labels of the figure, in the order source, target of the first panel.
std::vector<Text> labels_of(const AlignmentFigure& figure) {
  const Picture picture = lay_out(figure, estimated_width);
  std::vector<Text> labels = picture.texts[2].texts;
  labels.insert(labels.end(), picture.texts[3].texts.begin(), picture.texts[3].texts.end());
  return labels;
}

// The smallest rectangle around a text, from its ascent to its descent.
struct Box {
  double left, top, right, bottom;
  bool overlaps(const Box& other) const {
    return left < other.right && other.left < right && top < other.bottom && other.top < bottom;
  }
};

Box box_of(const Text& text, double width, double size) {
  const double from = text.anchor == Anchor::start    ? 0
                      : text.anchor == Anchor::middle ? -width / 2
                                                      : -width;
  const double angle = text.angle * 3.14159265 / 180;
  Box box{1e9, 1e9, -1e9, -1e9};
  for (const double along : {from, from + width})
    for (const double down : {-0.75 * size, 0.25 * size}) {
      const double x = text.x + along * std::cos(angle) + down * std::sin(angle);
      const double y = text.y - along * std::sin(angle) + down * std::cos(angle);
      box = {std::min(box.left, x), std::min(box.top, y), std::max(box.right, x),
             std::max(box.bottom, y)};
    }
  return box;
}

const std::vector<AlignmentFigure> kFigures = [] {
  const Tokens letters = {"a", "漢", "W", "🍕"}, words = {"the", "agreement", "l'", "économique"},
               strange = {std::string(1000, 'x'), "🎉🎉🎉", "سلام", "﷽", "\t", "<script>", "é̂̃"};
  std::vector<AlignmentFigure> figures;
  for (const Tokens& source : {letters, words, strange})
    for (const Tokens& target : {letters, strange})
      for (const std::size_t count : {1, 2, 9, 40, 120}) {
        figures.push_back(figure_of(repeated(source, count), repeated(target, count)));
        figures.push_back(
            figure_of(repeated(source, count), repeated(target, (count + 3) / 4), 7, 4));
      }
  figures.push_back(figure_of({"a"}, {"b"}, 3, 3, "a caption of some length "));
  figures.push_back(figure_of({}, {}));
  return figures;
}();

}  // namespace

TEST_CASE("no text of a picture is outside of it, and none overlaps another or a cell") {
  for (const AlignmentFigure& figure : kFigures) {
    const Picture picture = lay_out(figure, estimated_width);
    CAPTURE(figure.panels.size(), figure.panels[0].alignment.source);
    std::vector<std::pair<const Text*, Box>> level;  // texts that are not slanted
    double pitch = 1e9;                              // of slanted ones, across their direction
    const Text* last = nullptr;
    for (const TextGroup& group : picture.texts) {
      for (const Text& text : group.texts) {
        const double width = estimated_width(text.text, group.font, group.size);
        const Box box = box_of(text, width, group.size);
        CAPTURE(text.text, box.left, box.top, box.right, box.bottom, picture.width, picture.height);
        CHECK((box.left >= 0 && box.top >= 0));
        CHECK((box.right <= picture.width && box.bottom <= picture.height));
        if (text.angle != 45) {
          level.emplace_back(&text, box);
          continue;
        }
        if (last != nullptr && text.x > last->x)
          pitch = std::min(pitch, (text.x - last->x) * std::sqrt(0.5) / group.size);
        last = &text;
      }
    }
    CHECK(pitch >= 1);
    for (std::size_t i = 0; i < level.size(); ++i) {
      const auto overlaps = [&](const auto& other) {
        return level[i].second.overlaps(other.second);
      };
      CAPTURE(level[i].first->text);
      CHECK(std::none_of(level.begin(), level.begin() + static_cast<std::ptrdiff_t>(i), overlaps));
      const auto covers = [&](const Cell& cell) {
        const double end = picture.cell_size;
        return level[i].second.overlaps({cell.x, cell.y, cell.x + end, cell.y + end});
      };
      CHECK(std::none_of(picture.cells.begin(), picture.cells.end(), covers));
    }
  }
}

TEST_CASE("a label is short and shows every character; a tooltip has what was cut") {
  const std::string longest(1000, 'x'), marked = "a" + [] {
    std::string marks;
    for (int i = 0; i < 50; ++i) marks += "\u0301";
    return marks;
  }();
  const std::vector<Text> labels = labels_of(
      figure_of({longest, marked, "می\u200Cخواهم", "👨\u200D👩", "\u200D", "a\tb\x1b", "é"}, {"x"}));
  REQUIRE(labels.size() == 8);
  const auto label = [&](const std::string& text) {
    const auto found = std::find_if(labels.begin(), labels.end(),
                                    [&](const Text& one) { return one.text == text; });
    CAPTURE(text);
    REQUIRE(found != labels.end());
    return *found;
  };
  CHECK(label(std::string(23, 'x') + "…").tooltip == longest);
  CHECK(label("a\u0301\u0301\u0301\u0301…").tooltip == marked);
  // Joiners between characters remain, others are visible.
  for (const char* text : {"می\u200Cخواهم", "👨\u200D👩", "U+200D", "a⇥bU+001B", "é", "x"})
    CHECK(label(text).tooltip.empty());
  CHECK_THAT(to_svg(figure_of({longest}, {"x"})), contains("<title>" + longest + "</title>"));
}

TEST_CASE("markup in tokens, captions and titles is text in an SVG picture") {
  AlignmentFigure figure = figure_of({"<script>x</script>"}, {"&amp;"}, 2, 2, "<b>\x01");
  figure.title = "<script>";
  const std::string svg = to_svg(figure);
  CHECK_THAT(svg, !contains("<script") && !contains("<b>") && !contains("\x01"));
  CHECK_THAT(svg, contains(">&lt;script&gt;x&lt;/script&gt;</text>") &&
                      contains(">&amp;amp;</text>") && contains(">&lt;b&gt;\uFFFD1</text>") &&
                      contains(">&lt;script&gt;</text>"));
}

TEST_CASE("panels share the labels of the first row and the first column") {
  const Tokens source = {"a", "b", "c"}, target = {"x", "y"};
  const Picture picture = lay_out(figure_of(source, target, 8, 4), estimated_width);
  CHECK(picture.cells.size() == 8 * 6);
  CHECK(picture.texts[2].texts.size() == 4 * 3 + 2 * 2);
  CHECK(picture.texts[1].texts.size() == 2 + 8);  // source and target, head 1 to head 8
  CHECK(picture.texts[1].texts.back().text == "head 8");
  CHECK(picture.cells.back().tooltip == "head 8: c → y: 0.500");
  CHECK(picture.cells.back().x > picture.cells.front().x);
  CHECK(picture.cells.back().y > picture.cells[3 * 6].y);
}

TEST_CASE("a figure without panels, or with different tokens in its panels, is an error") {
  CHECK_THROWS_WITH(to_svg(AlignmentFigure{"", {}}), contains("0 panels in 1 columns"));
  AlignmentFigure figure = figure_of({"a"}, {"x"}, 2);
  figure.columns = 0;
  CHECK_THROWS_WITH(to_svg(figure), contains("2 panels in 0 columns"));
  figure.columns = 2;
  figure.panels[1].alignment.source = {"b"};
  CHECK_THROWS_WITH(to_svg(figure), contains("different tokens"));
  figure.panels[1].alignment.weights = {1, 2};
  CHECK_THROWS_WITH(to_svg(figure), contains("2 weights"));
}

TEST_CASE(
    "a PNG has two pixels for each of the SVG's unless it would be too large, a PDF one page") {
  if (!has_cairo()) {
    CHECK_THROWS_WITH(to_png(figure_of({"a"}, {"x"})),
                      contains("to_png: ") && contains("libcairo2-dev and libpango1.0-dev"));
    CHECK_THROWS_WITH(to_pdf(figure_of({"a"}, {"x"})), contains("to_pdf: "));
    CHECK_THROWS_WITH(require_cairo("--png"), contains("--png: "));
    return;
  }
  CHECK_NOTHROW(require_cairo("--png"));
  const auto number_at = [](const std::string& png, std::size_t at) {
    int number = 0;
    for (std::size_t i = at; i < at + 4; ++i)
      number = number << 8 | static_cast<unsigned char>(png[i]);
    return number;
  };
  const AlignmentFigure small = figure_of({"a", "سلام"}, {"漢", "🍕", std::string(1000, 'x')}, 2, 2);
  const std::string png = to_png(small);
  CHECK(png.starts_with("\x89PNG\r\n"));
  CHECK(number_at(png, 16) % 2 == 0);
  CHECK(number_at(png, 16) > 2 * 2 * 32 * 2);  // two panels of two cells
  CHECK(png == to_png(small));

  const std::string wide = to_png(figure_of(repeated({"a"}, 4000), {"x"}));
  CHECK(number_at(wide, 16) <= 32000);
  CHECK(number_at(wide, 16) > 31000);

  const std::string pdf = to_pdf(small);
  CHECK(pdf.starts_with("%PDF-"));
  CHECK_THAT(pdf, contains("/Count 1") && contains("%%EOF"));
  CHECK_THROWS_AS(to_png(AlignmentFigure{"", {}}), Error);
  CHECK_THROWS_AS(to_pdf(AlignmentFigure{"", {}}), Error);
}
