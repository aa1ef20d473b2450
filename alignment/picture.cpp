#include "attune/alignment/picture.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "attune/autograd/array/error.h"
#include "attune/data/utf8.h"

namespace attune::heat_map {
namespace {

constexpr double kMargin = 20, kAxisTitle = 22, kLabelGap = 7;
constexpr double kBarGap = 26, kBarWidth = 14, kBarLabels = 62;
constexpr double kTitleSize = 15, kTitleLine = 19, kNarrowTitle = 260;
constexpr double kCaptionSize = 12, kPanelGap = 16;
constexpr double kSlant = 0.7071;  // sine and cosine of 45 degrees
constexpr int kLongestLabel = 24;  // in columns
constexpr int kMostMarks = 4;      // on a letter of a label; more would cover other labels
constexpr std::size_t kTitleLines = 3;

// `text` with control characters, and others that XML 1.0 forbids, replaced by U+FFFD.
std::string clean(std::string_view text) {
  std::string result;
  for (const std::string& character : utf8::characters(text)) {
    const auto first = static_cast<unsigned char>(character[0]);
    const bool is_forbidden =
        first < 0x20 || first == 0x7F || character == "\uFFFE" || character == "\uFFFF";
    result += is_forbidden ? "\uFFFD" : character;
  }
  return result;
}

// A token as utf8::visible(), but with the joiners between its characters, which shape letters and
// emoji.
std::string visible(const std::string& token) {
  const std::vector<std::string> characters = utf8::characters(token);
  std::string result, part;
  for (std::size_t i = 0; i < characters.size(); ++i) {
    const bool is_joiner = characters[i] == "\u200C" || characters[i] == "\u200D";
    if (is_joiner && i > 0 && i + 1 < characters.size()) {
      result += utf8::visible(part) + characters[i];
      part.clear();
    } else {
      part += characters[i];
    }
  }
  return clean(result + utf8::visible(part));
}

// `text` up to a letter with more than kMostMarks marks.
std::string with_few_marks(const std::string& text) {
  std::string result;
  int marks = 0;
  for (const std::string& character : utf8::characters(text)) {
    marks = utf8::display_width(character) == 0 ? marks + 1 : 0;
    if (marks > kMostMarks) return result + "…";
    result += character;
  }
  return result;
}

struct Label {
  std::string text, tooltip;  // the latter only if the text is shortened
  Font font;
};

std::vector<Label> shortened_labels(const std::vector<std::string>& tokens) {
  std::vector<Label> labels;
  for (const std::string& token : tokens) {
    const std::string whole = visible(token);
    const std::string text = with_few_marks(utf8::shortened(whole, kLongestLabel));
    // The joined letters of right-to-left scripts come apart in monospaced fonts.
    const Font font = utf8::isolated(text) == text ? Font::mono : Font::sans;
    labels.push_back({text, text == whole ? "" : whole, font});
  }
  return labels;
}

// The bytes of the longest beginning of a title that is at most `width` wide.
std::size_t fitting(std::string_view text, double width, const TextWidth& width_of) {
  std::size_t end = 0;
  double used = 0;
  for (const std::string& character : utf8::characters(text)) {
    used += width_of(character, Font::bold, kTitleSize);
    if (used > width) break;
    end += character.size();
  }
  return end;
}

// Wraps a title into at most kTitleLines lines, between words if possible, and cuts the rest.
std::vector<std::string> wrapped(std::string_view text, double width, const TextWidth& width_of) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    std::size_t end = fitting(text, width, width_of);
    if (end == text.size()) {
      lines.emplace_back(text);
      break;
    }
    if (lines.size() + 1 == kTitleLines) {
      end = fitting(text, width - width_of("…", Font::bold, kTitleSize), width_of);
      lines.push_back(std::string(text.substr(0, end)) + "…");
      break;
    }
    const std::size_t space = text.substr(0, end + 1).rfind(' ');
    if (space != std::string_view::npos && space > 0) end = space;
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end);
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
  return lines;
}

void check(const AlignmentFigure& figure) {
  ATTUNE_CHECK(!figure.panels.empty() && figure.columns >= 1,
               "alignment figure: {} panels in {} columns; expected at least one of each",
               figure.panels.size(), figure.columns);
  const Alignment& first = figure.panels.front().alignment;
  for (const AlignmentPanel& panel : figure.panels) {
    panel.alignment.check();
    ATTUNE_CHECK(
        panel.alignment.source == first.source && panel.alignment.target == first.target,
        "alignment figure: panels have different tokens; expected one source and one target");
  }
}

class Layout {
 public:
  Layout(const AlignmentFigure& figure, const TextWidth& width_of)
      : figure_(figure),
        width_of_(width_of),
        sources_(shortened_labels(figure.panels.front().alignment.source)),
        targets_(shortened_labels(figure.panels.front().alignment.target)) {
    for (const AlignmentPanel& panel : figure.panels)
      captions_.push_back(clean(utf8::shortened(panel.caption, kLongestLabel)));
    columns_ = std::min(figure.columns, static_cast<int>(figure.panels.size()));
    rows_ = (static_cast<int>(figure.panels.size()) + columns_ - 1) / columns_;
    choose_sizes();
    place();
  }

  Picture picture() const {
    Picture picture{.width = std::ceil(total_width_),
                    .height = std::ceil(top_ + std::max(grid_height_, bar_height_) + kMargin),
                    .title = clean(figure_.title),
                    .texts = {title(), axis_titles(), labels(Font::mono), labels(Font::sans)},
                    .cell_size = cell_ - (cell_ >= 14 ? 1 : 0),
                    .cells = cells(),
                    .bar_x = left_ + grid_width_ + bar_gap_,
                    .bar_y = top_,
                    .bar_width = kBarWidth,
                    .bar_height = bar_height_,
                    .ticks = {}};
    add_color_bar(picture);
    return picture;
  }

 private:
  void choose_sizes() {
    const int sources = std::max(1, count(sources_)), targets = std::max(1, count(targets_));
    const double across = std::max(columns_ * sources, rows_ * targets);
    const double room = figure_.panels.size() > 1 ? 800 : 600;
    cell_ = std::clamp(std::floor(room / across), 10.0, 32.0);
    font_ = std::clamp(std::round(0.6 * cell_), 7.0, 14.0);
    width_ = cell_ * sources;
    height_ = cell_ * targets;
    const bool is_narrow = widest(sources_) <= cell_ - 0.5 * font_;
    angle_ = is_narrow ? 0 : cell_ >= 14 ? 45 : 90;
  }

  void place() {
    double caption = 0;
    for (const std::string& text : captions_)
      caption = std::max(caption, width_of_(text, Font::sans, kCaptionSize));
    caption_height_ = caption > 0 ? kCaptionSize + 8 : 0;
    pitch_x_ = std::max(width_ + kPanelGap, std::ceil(caption) + 8);
    pitch_y_ = height_ + caption_height_ + kPanelGap;
    grid_width_ = (columns_ - 1) * pitch_x_ + width_;
    grid_height_ = (rows_ - 1) * pitch_y_ + height_ + caption_height_;
    left_ = std::ceil(std::max(kMargin + kAxisTitle + widest(targets_) + kLabelGap,
                               kMargin + kAxisTitle + (caption - width_) / 2));
    bar_gap_ = std::max(kBarGap, (caption - width_) / 2 + 8);
    bar_height_ = std::clamp(grid_height_ - caption_height_, 96.0, 260.0);

    // The picture of a small map is widened to make room for the title, or for kNarrowTitle pixels
    // of it.
    const double beside = std::max(overhang(), bar_gap_ + kBarWidth + kBarLabels);
    const std::string text = clean(figure_.title);
    const double title = std::min(width_of_(text, Font::bold, kTitleSize), kNarrowTitle);
    total_width_ = std::max(left_ + grid_width_ + beside, kMargin + title) + kMargin;
    title_ = wrapped(text, total_width_ - 2 * kMargin, width_of_);
    for (const std::string& line : title_)
      total_width_ = std::max(total_width_, width_of_(line, Font::bold, kTitleSize) + 2 * kMargin);
    const double title_height =
        title_.empty() ? 0 : 30 + kTitleLine * static_cast<double>(title_.size() - 1);
    top_ = std::ceil(kMargin + title_height + kAxisTitle + label_height() + kLabelGap);
  }

  static int count(const std::vector<Label>& labels) { return static_cast<int>(labels.size()); }
  double width_of(const Label& label) const { return width_of_(label.text, label.font, font_); }
  double widest(const std::vector<Label>& labels) const {
    double width = 0;
    for (const Label& label : labels) width = std::max(width, width_of(label));
    return width;
  }
  // The height of the labels of the source.
  double label_height() const {
    if (angle_ == 0) return font_;
    return angle_ == 45 ? kSlant * (widest(sources_) + font_) : widest(sources_);
  }
  // How far slanted labels extend beyond the last column.
  double overhang() const {
    double right = 0;
    for (int s = 0; angle_ == 45 && s < count(sources_); ++s)
      right =
          std::max(right, (s + 0.5) * cell_ +
                              kSlant * (width_of(sources_[static_cast<std::size_t>(s)]) + font_));
    return std::max(0.0, right - width_);
  }

  double x_of(std::size_t panel) const {
    return left_ + static_cast<double>(panel % static_cast<std::size_t>(columns_)) * pitch_x_;
  }
  double y_of(std::size_t panel) const {
    return top_ + static_cast<double>(panel / static_cast<std::size_t>(columns_)) * pitch_y_;
  }

  TextGroup title() const {
    TextGroup group{Font::bold, kTitleSize, kInk, {}};
    for (std::size_t i = 0; i < title_.size(); ++i)
      group.texts.push_back({kMargin, kMargin + 14 + kTitleLine * static_cast<double>(i),
                             Anchor::start, 0, title_[i]});
    return group;
  }

  TextGroup axis_titles() const {
    TextGroup group{Font::sans, kCaptionSize, kGrey, {}};
    const double height = grid_height_ - caption_height_;
    group.texts = {{left_ + grid_width_ / 2, top_ - kLabelGap - label_height() - kAxisTitle + 12,
                    Anchor::middle, 0, "source"},
                   {kMargin + 10, top_ + height / 2, Anchor::middle, 90, "target"}};
    for (std::size_t i = 0; i < captions_.size(); ++i)
      if (!captions_[i].empty())
        group.texts.push_back({x_of(i) + width_ / 2, y_of(i) + height_ + kCaptionSize + 3,
                               Anchor::middle, 0, captions_[i]});
    return group;
  }

  // The labels in one font. Panels share them: the source's are above those of the first row, the
  // target's beside those of the first column.
  TextGroup labels(Font font) const {
    TextGroup group{font, font_, kInk, {}};
    for (std::size_t panel = 0; panel < figure_.panels.size(); ++panel) {
      for (int s = 0; panel < static_cast<std::size_t>(columns_) && s < count(sources_); ++s) {
        const Label& label = sources_[static_cast<std::size_t>(s)];
        if (label.font != font) continue;
        group.texts.push_back({x_of(panel) + (s + 0.5) * cell_ + (angle_ == 0 ? 0 : 0.35 * font_),
                               top_ - kLabelGap, angle_ == 0 ? Anchor::middle : Anchor::start,
                               angle_, label.text, label.tooltip});
      }
      for (int t = 0; panel % static_cast<std::size_t>(columns_) == 0 && t < count(targets_); ++t) {
        const Label& label = targets_[static_cast<std::size_t>(t)];
        if (label.font != font) continue;
        group.texts.push_back({left_ - kLabelGap, y_of(panel) + (t + 0.5) * cell_ + 0.35 * font_,
                               Anchor::end, 0, label.text, label.tooltip});
      }
    }
    return group;
  }

  std::vector<Cell> cells() const {
    std::vector<Cell> cells;
    for (std::size_t panel = 0; panel < figure_.panels.size(); ++panel) {
      const std::string caption = captions_[panel].empty() ? "" : captions_[panel] + ": ";
      for (int t = 0; t < count(targets_); ++t) {
        for (int s = 0; s < count(sources_); ++s) {
          const float weight = figure_.panels[panel].alignment.weight(t, s);
          cells.push_back(
              {x_of(panel) + s * cell_, y_of(panel) + t * cell_, color_of(weight, paper),
               fmt::format("{}{} → {}: {:.3f}", caption,
                           utf8::isolated(sources_[static_cast<std::size_t>(s)].text),
                           utf8::isolated(targets_[static_cast<std::size_t>(t)].text), weight)});
        }
      }
    }
    return cells;
  }

  static void add_color_bar(Picture& picture) {
    const double end = picture.bar_x + picture.bar_width;
    TextGroup numbers{Font::sans, 11, kGrey, {}};
    for (const double tick : {0.0, 0.25, 0.5, 0.75, 1.0}) {
      const double y = picture.bar_y + (1 - tick) * picture.bar_height;
      picture.ticks.push_back(y);
      numbers.texts.push_back(
          {end + kTick + 3, y + 4, Anchor::start, 0, fmt::format("{:g}", tick)});
    }
    picture.texts.push_back(std::move(numbers));
    picture.texts.push_back({Font::sans,
                             kCaptionSize,
                             kGrey,
                             {{end + kBarLabels - 12, picture.bar_y + picture.bar_height / 2,
                               Anchor::middle, 90, "weight"}}});
  }

  const AlignmentFigure& figure_;
  const TextWidth& width_of_;
  std::vector<Label> sources_, targets_;
  std::vector<std::string> captions_, title_;
  int columns_, rows_;                   // of panels
  double cell_, font_, width_, height_;  // of a panel: its cells, labels, and itself
  int angle_;                            // of the source's labels
  double pitch_x_, pitch_y_;             // from one panel to the next
  double caption_height_, grid_width_, grid_height_;
  double left_, top_, bar_gap_, bar_height_, total_width_;
};

}  // namespace

// A monospaced font has characters of about 0.6 em. Letters beyond Latin, Greek and Cyrillic come
// from other fonts, where many are wider; a few Arabic ligatures are whole sentences.
double estimated_width(std::string_view text, Font font, double size) {
  const double column = font == Font::mono ? 0.61 : 0.633;
  double width = 0;
  for (const std::string& character : utf8::characters(text)) {
    const int columns = utf8::display_width(character);
    const bool is_ligature = character >= "\uFDFA" && character <= "\uFDFD";
    const bool is_usual = static_cast<unsigned char>(character[0]) < 0xD6;
    width += is_ligature ? 8 : columns == 1 && !is_usual ? 1.0 : columns * column;
  }
  return width * size;
}

Picture lay_out(const AlignmentFigure& figure, const TextWidth& width_of) {
  check(figure);
  return Layout(figure, width_of).picture();
}

}  // namespace attune::heat_map
