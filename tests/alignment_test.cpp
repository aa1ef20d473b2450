#include "attune/alignment/alignment.h"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"
#include "catch.h"

using namespace attune;

namespace {

const Alignment example = {{"a", "b", "c"}, {"x", "y"}, {0.1f, 0.2f, 0.7f, 0.9f, 0.1f, 0.0f}};

// A reversal of `length` letters.
Alignment reversal(int length) {
  Alignment alignment;
  for (int i = 0; i < length; ++i) {
    alignment.source.push_back(std::string(1, static_cast<char>('a' + i % 26)));
    for (int s = 0; s < length; ++s) alignment.weights.push_back(s == length - 1 - i ? 1.0f : 0.0f);
  }
  alignment.target.assign(alignment.source.rbegin(), alignment.source.rend());
  return alignment;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// `text` without escape sequences, which must all be complete.
std::string without_color(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\x1b') {
      at = text.find('m', at);
      REQUIRE(at != std::string_view::npos);
    } else {
      result += text[at];
    }
  }
  return result;
}

int occurrences(std::string_view text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("a hard alignment has the first source position with the largest weight of each row") {
  using Positions = std::vector<int>;
  CHECK(hard_alignment(example.weights, 3) == Positions{2, 0});
  CHECK(hard_alignment(std::vector<float>{0.5f, 0.5f}, 2) == Positions{0});
  CHECK(hard_alignment({}, 0).empty());
  CHECK_THROWS_WITH(hard_alignment(example.weights, 0),
                    contains("6 weights are not whole rows for a source of 0 tokens"));
  CHECK_THROWS_WITH(hard_alignment(example.weights, 4), contains("not whole rows"));
}

TEST_CASE("a target token whose weights sum to less than a tenth is aligned with nothing") {
  const Alignment alignment = {
      {"a", "b"}, {"x", "y", "z"}, {0.05f, 0.04f, 0.05f, 0.06f, 0.0f, 0.0f}};
  CHECK(hard_alignment(alignment.weights, 2) == std::vector<int>{kNowhere, 1, kNowhere});
  CHECK(to_moses(alignment) == "1-1");
}

TEST_CASE("an alignment in Moses form pairs source and target positions from zero") {
  CHECK(to_moses(example) == "2-0 0-1");
  CHECK(to_moses(reversal(4)) == "3-0 2-1 1-2 0-3");
  CHECK(to_moses({{"a"}, {}, {}}) == "");
  CHECK(to_moses({{}, {"x"}, {}}) == "");
}

TEST_CASE("an alignment with too few weights is an error with both counts") {
  const Alignment broken = {{"a", "b"}, {"x", "y"}, {1, 0, 1}};
  CHECK_THROWS_WITH(to_moses(broken), contains("3 weights") && contains("2 target x 2 source"));
  CHECK_THROWS_AS(to_terminal(broken, TerminalColor::none), Error);
  CHECK_THROWS_AS(to_svg(broken, ""), Error);
}

TEST_CASE("a heat map without colour draws shades under labelled columns") {
  CHECK(to_terminal(example, TerminalColor::none) ==
        "  a b c\n"
        "x · ░░▓▓\n"
        "y ██· · \n"
        "\n"
        "  0 · ░░▒▒▓▓██ 1\n");
}

TEST_CASE("labels of a heat map are aligned by display width, and long ones are vertical") {
  const Alignment alignment = {{"漢", " ", "the"}, {"漢字", "x"}, {1, 0, 0, 0, 1, 1}};
  CHECK(to_terminal(alignment, TerminalColor::none) ==
        "         t\n"
        "         h\n"
        "     漢␣ e\n"
        "漢字 ██· · \n"
        "   x · ████\n"
        "\n"
        "     0 · ░░▒▒▓▓██ 1\n");
}

TEST_CASE("a heat map in colour sets a background for each cell and resets it at each line's end") {
  const std::string map = to_terminal(example, TerminalColor::truecolor);
  CHECK(occurrences(map, "\x1b[48;2;") == 2 * 3 + 17);
  CHECK(occurrences(map, "\x1b[0m") == 3);
  CHECK_THAT(map, contains("\x1b[48;2;68;1;84m  \x1b[0m\n"));  // y, c: weight 0
  CHECK(occurrences(to_terminal(example, TerminalColor::xterm256), "\x1b[48;5;") == 2 * 3 + 17);
}

TEST_CASE("a heat map fits its terminal: narrower cells first, then several parts") {
  for (const TerminalColor color : {TerminalColor::none, TerminalColor::truecolor}) {
    for (const int length : {1, 10, 19, 20, 38, 39, 90}) {
      for (const int columns : {20, 41, 80}) {
        CAPTURE(length, columns);
        const std::string map = without_color(to_terminal(reversal(length), color, columns));
        int rows = 0;
        for (const std::string& line : lines_of(map)) {
          CHECK(utf8::display_width(line) <= columns);
          if (!line.empty() && line[0] != ' ') ++rows;
        }
        const int room = columns - 2;
        const int parts = length <= room ? 1 : static_cast<int>(std::ceil(length / (room / 2.0)));
        CHECK(rows == length * parts);
      }
    }
  }
}

TEST_CASE("a heat map drawn in parts shows every source column") {
  const std::string map = to_terminal(reversal(50), TerminalColor::none, 40);
  CHECK(occurrences(map, "██") == 50 + 1);  // and one in the legend
}

TEST_CASE("control characters in tokens do not reach the terminal or the SVG picture") {
  const Alignment alignment = {{"\x1b[2J"}, {"\r\n"}, {1}};
  CHECK_THAT(to_terminal(alignment, TerminalColor::none), !contains("\x1b"));
  CHECK_THAT(to_terminal(alignment, TerminalColor::none), !contains("\r"));
  CHECK_THAT(to_svg(alignment, "\x1b"), !contains("\x1b"));
}

TEST_CASE("weights that are NaN or out of range still give a heat map") {
  const Alignment alignment = {{"a", "b", "c"}, {"x"}, {NAN, -1, 2}};
  CHECK_THAT(to_terminal(alignment, TerminalColor::none), contains("x · · ██"));
  CHECK_THAT(to_svg(alignment, ""), contains("#032b4d"));
}

TEST_CASE("an alignment without target tokens gives an empty heat map") {
  const Alignment alignment = {{"a"}, {}, {}};
  CHECK_THAT(to_terminal(alignment, TerminalColor::none), contains("1\n"));
  CHECK_THAT(to_svg(alignment, "empty"), contains("</svg>"));
  CHECK_THAT(to_svg({{}, {}, {}}, "empty"), contains("</svg>"));
}

TEST_CASE("an SVG heat map has a cell with a tooltip for each weight, labels and a colour bar") {
  const std::string svg = to_svg(example, "two words");
  CHECK(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""));
  CHECK(svg.ends_with("</svg>\n"));
  CHECK(occurrences(svg, "<title>") == 6);
  CHECK_THAT(svg, contains("<title>c → x: 0.700</title>"));
  CHECK_THAT(svg, contains("<title>a → y: 0.900</title>"));
  for (const char* text : {">two words<", ">source<", ">target<", ">weight<", ">0.25<", ">1<",
                           ">a<", ">b<", ">c<", ">x<", ">y<"}) {
    CHECK_THAT(svg, contains(text));
  }
  for (const std::string_view tag : {"g", "text", "rect", "defs", "linearGradient"}) {
    const std::string name(tag);
    CAPTURE(name);
    const int opened = occurrences(svg, "<" + name + " ") + occurrences(svg, "<" + name + ">");
    const int closed = occurrences(svg, "</" + name + ">");
    CHECK(opened > 0);
    CHECK(opened - closed == (name == "rect" ? 2 : 0));  // frame and bar close themselves
  }
}

TEST_CASE("an SVG heat map escapes special characters of XML and shows spaces") {
  const std::string svg = to_svg({{"<s>", " "}, {"a&\"b"}, {1, 0}}, "<&\"\x01>");
  CHECK_THAT(svg, contains(">&lt;s&gt;</text>"));
  CHECK_THAT(svg, contains(">␣</text>"));
  CHECK_THAT(svg, contains(">a&amp;&quot;b</text>"));
  CHECK_THAT(svg, contains(">&lt;&amp;&quot;\uFFFD&gt;</text>"));
  CHECK_THAT(svg, !contains("<s>"));
}

TEST_CASE("an SVG heat map is as wide as its matrix, not as its title") {
  const auto width_of = [](const std::string& svg) {
    const std::string start = "width=\"";
    return std::stoi(svg.substr(svg.find(start) + start.size()));
  };
  const Alignment small = {{"a"}, {"b"}, {1}};
  const std::string words =
      "a title of many words that goes on for longer than anybody would want to read it, and then "
      "some, up to here, where it has become far too long for a picture of a single square, END";
  const int plain = width_of(to_svg(small, "")), wide = width_of(to_svg(small, words));
  CHECK(plain < wide);
  CHECK(wide <= 300);
  const std::string svg = to_svg(small, words);
  CHECK_THAT(svg, contains("a title of many words"));
  CHECK_THAT(svg, contains("…</text>"));
  CHECK_THAT(svg, contains("END\""));  // the complete title, for screen readers
  CHECK(occurrences(svg, "<text x=\"20.0\"") == 3);
  CHECK(width_of(to_svg(small, std::string(500, 'x'))) == wide);
  CHECK(width_of(to_svg(small, "漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字")) ==
        wide);

  // A title that has room is in one line.
  CHECK_THAT(to_svg(example, "source → target"), contains(">source → target</text>"));
}

TEST_CASE("the arrow of a title stays between right-to-left texts") {
  CHECK(alignment_title("abc", "cba") == "abc → cba");
  CHECK(alignment_title("שלום", "سلام") == "\u2068שלום\u2069 → \u2068سلام\u2069");
  CHECK(alignment_title("שלום", "x") == "\u2068שלום\u2069 → x");
  CHECK(alignment_title("\x1b[31m\u202E", "\u2069") == "U+001B[31mU+202E → U+2069");
  CHECK_THAT(to_svg({{"ש"}, {"ل"}, {1}}, alignment_title("ש", "ل")),
             contains("<title>\u2068ש\u2069 → \u2068ل\u2069: 1.000</title>") &&
                 contains(">\u2068ש\u2069 → \u2068ل\u2069</text>"));
}

TEST_CASE("a heat map fits very narrow terminals") {
  const Alignment alignment = {
      {"the", "quick", "漢字", "fox"}, {"den", "schnellen", "狐"}, std::vector<float>(12, 0.5f)};
  for (int columns = 10; columns < 60; ++columns) {
    std::istringstream lines(to_terminal(alignment, TerminalColor::none, columns));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(columns, line);
      CHECK(utf8::display_width(line) <= columns);
    }
  }
}
