#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numeric>
#include <span>
#include <sstream>
#include <string_view>
#include <utility>

#include "attune/data/utf8.h"
#include "attune/train/explanation.h"

namespace attune {
namespace {

constexpr int kColumns = 100;         // of the terminal
constexpr int kFormulas = 22;         // where equations begin
constexpr int kIndent = 4;            // of numbers
constexpr int kNumber = 8;            // columns of a number, such as -12.3456
constexpr int kLongestLabel = 12;     // of a token
constexpr std::size_t kElements = 5;  // of a vector
constexpr std::size_t kRows = 20;     // of a table with a row for each token
constexpr std::size_t kLargest = 3;   // weights of a row among others

std::string spaces(int count) {
  return std::string(static_cast<std::size_t>(std::max(0, count)), ' ');
}

std::string right(const std::string& text, int width) {
  return spaces(width - utf8::display_width(text)) + utf8::isolated(text);
}

std::string left(const std::string& text, int width) {
  return utf8::isolated(text) + spaces(width - utf8::display_width(text));
}

std::string label_of(const std::string& token, int width = kLongestLabel) {
  return utf8::shortened(token, width);
}

std::string quoted(const std::string& token) {
  return fmt::format("'{}'", utf8::isolated(label_of(token, 24)));
}

// A weight as a bar of at most `width` columns.
std::string bar(double weight, int width) {
  constexpr std::array<std::string_view, 8> kParts = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double share = weight > 0 ? std::min(weight, 1.0) : 0.0;
  const auto eighths = static_cast<std::size_t>(std::lround(share * width * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += "█";
  text += kParts[eighths % 8];
  return text;
}

// The first elements of a vector, their number and its norm.
std::string vector_text(std::span<const double> values) {
  std::string text = "[";
  double squares = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    squares += values[i] * values[i];
    if (i < kElements) text += right(number_text(values[i]), kNumber);
  }
  return fmt::format("{}{}] of {}, norm {}", text, values.size() > kElements ? " ..." : "",
                     values.size(), number_text(std::sqrt(squares)));
}

// The indices of the `count` largest values, in ascending order.
std::vector<std::size_t> largest(std::span<const double> values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return values[a] > values[b]; });
  order.resize(std::min(order.size(), count));
  return order;
}

// Lines of text, and what tables of a step have in common.
class Writer {
 public:
  void line(const std::string& text = {}) { text_ += text + '\n'; }
  void stages(const std::vector<ExplainedStage>& stages);
  const std::string& text() const { return text_; }

 private:
  void stage(const ExplainedStage& stage);
  void equation(const std::string& begin, const Equation& equation);
  void places(const ExplainedStage& stage);
  void vectors(const ExplainedNumbers& numbers, int width);
  void table(const ExplainedNumbers& numbers, int width);
  void largest_weights(const ExplainedNumbers& numbers);

  std::string text_;
  const ExplainedNumbers* weights_ = nullptr;  // of this step, which decide what tables show
  std::vector<std::string> header_;            // the columns of the last table
};

// A formula, on several lines if it is too long for one, and its source.
void Writer::equation(const std::string& begin, const Equation& equation) {
  std::string text = left(begin, kFormulas);
  std::string_view separator;
  const auto add = [&](const std::string& part) {
    std::string longer = fmt::format("{}{}{}", text, separator, part);
    if (utf8::display_width(longer) > kColumns && !separator.empty()) {
      line(text);
      longer = spaces(kFormulas + 3) + part;
    }
    text = std::move(longer);
    separator = " ";
  };
  std::istringstream words(equation.formula);
  for (std::string word; words >> word;) add(word);
  if (!equation.source.empty()) {
    separator = "   ";
    add(fmt::format("({})", equation.source));
  }
  line(text);
}

void Writer::places(const ExplainedStage& stage) {
  for (const ExplainedNumbers& numbers : stage.numbers) {
    if (numbers.places.empty()) continue;
    std::string text = fmt::format("{}{}:", spaces(kFormulas), numbers.symbol);
    for (const SourceLine& place : numbers.places) {
      if (&place != &numbers.places.front()) text += ',';
      std::string longer = fmt::format("{} {}:{}", text, place.file, place.line);
      if (utf8::display_width(longer) > kColumns) {
        line(text);
        longer = fmt::format("{}{}:{}", spaces(kFormulas + 2), place.file, place.line);
      }
      text = std::move(longer);
    }
    line(text);
  }
}

void Writer::vectors(const ExplainedNumbers& numbers, int width) {
  const std::size_t count = std::min(numbers.row_count(), kRows);
  if (numbers.rows.empty()) {
    line(spaces(kIndent) + left(numbers.symbol, width) + vector_text(numbers.values));
    return;
  }
  line(spaces(kIndent) + numbers.symbol);
  for (std::size_t row = 0; row < count; ++row)
    line(spaces(kIndent + 2) + left(label_of(numbers.rows[row]), kLongestLabel + 1) +
         vector_text(std::span(numbers.values).subspan(row * numbers.width(), numbers.width())));
  if (count < numbers.row_count())
    line(fmt::format("{}and {} more", spaces(kIndent + 2), numbers.row_count() - count));
}

// A row of numbers below the tokens that they belong to, and bars below weights.
void Writer::table(const ExplainedNumbers& numbers, int width) {
  const bool is_of_source = weights_ != nullptr && weights_->columns == numbers.columns;
  const std::vector<double>& weights = is_of_source        ? weights_->values
                                       : numbers.is_weight ? numbers.values
                                                           : std::vector<double>();
  int cell = kNumber;
  for (const std::string& token : numbers.columns)
    cell = std::max(cell, utf8::display_width(label_of(token)));
  cell += 1;
  const auto room = static_cast<std::size_t>((kColumns - kIndent - width) / cell);
  std::vector<std::size_t> shown = largest(weights, room);
  if (weights.empty()) {
    shown.resize(std::min(room, numbers.columns.size()));
    std::iota(shown.begin(), shown.end(), std::size_t{0});
  }
  std::sort(shown.begin(), shown.end());
  const bool is_cut = shown.size() < numbers.columns.size();

  if (header_ != numbers.columns) {
    std::string tokens = spaces(kIndent + width), positions = tokens;
    for (const std::size_t i : shown) {
      tokens += right(label_of(numbers.columns[i]), cell);
      positions += right(std::to_string(i), cell);
    }
    line(tokens);
    if (is_cut) line(positions);
  }
  header_ = numbers.columns;
  std::string values = spaces(kIndent) + left(numbers.symbol, width),
              bars = spaces(kIndent + width);
  double rest = std::accumulate(numbers.values.begin(), numbers.values.end(), 0.0);
  for (const std::size_t i : shown) {
    values += right(number_text(numbers.values[i]), cell);
    bars += ' ' + left(bar(numbers.values[i], cell - 1), cell - 1);
    rest -= numbers.values[i];
  }
  line(values);
  if (!numbers.is_weight) return;
  bars.erase(bars.find_last_not_of(' ') + 1);
  if (!bars.empty()) line(bars);
  if (is_cut)
    line(fmt::format("{}of {} tokens those with the largest weights; the other {} have {} in all",
                     spaces(kIndent + width), numbers.columns.size(),
                     numbers.columns.size() - shown.size(), number_text(rest)));
}

// The largest weights of each row.
void Writer::largest_weights(const ExplainedNumbers& numbers) {
  line(fmt::format("{}{}: the largest weights, with positions", spaces(kIndent), numbers.symbol));
  int width = 0;
  for (const std::string& name : numbers.rows)
    width = std::max(width, utf8::display_width(label_of(name, 24)));
  const int cell = kLongestLabel + kNumber + 8;
  const auto room = static_cast<std::size_t>((kColumns - kIndent - 3 - width) / cell);
  for (std::size_t row = 0; row < std::min(numbers.row_count(), kRows); ++row) {
    const auto values = std::span(numbers.values).subspan(row * numbers.width(), numbers.width());
    std::string text = spaces(kIndent + 2) + left(label_of(numbers.rows[row], 24), width + 1);
    for (const std::size_t i : largest(values, std::min(room, kLargest)))
      text += fmt::format("  {:>4} {} {}", i, left(label_of(numbers.columns[i]), kLongestLabel),
                          number_text(values[i]));
    line(text);
  }
  if (numbers.row_count() > kRows)
    line(fmt::format("{}and {} more", spaces(kIndent + 2), numbers.row_count() - kRows));
}

void Writer::stage(const ExplainedStage& stage) {
  line();
  std::string begin = fmt::format("{:>2}  {}", static_cast<int>(stage.stage), name_of(stage.stage));
  for (const Equation& one : stage.equations) {
    equation(begin, one);
    begin.clear();
  }
  places(stage);
  int width = kNumber;
  for (const ExplainedNumbers& numbers : stage.numbers)
    width = std::max(width, utf8::display_width(numbers.symbol) + 2);
  header_.clear();
  for (const ExplainedNumbers& numbers : stage.numbers) {
    if (numbers.columns.empty())
      vectors(numbers, width);
    else if (numbers.rows.empty())
      table(numbers, width);
    else
      largest_weights(numbers);
  }
  if (!stage.note.empty()) line(spaces(kIndent) + stage.note);
}

void Writer::stages(const std::vector<ExplainedStage>& stages) {
  weights_ = nullptr;
  for (const ExplainedStage& one : stages)
    for (const ExplainedNumbers& numbers : one.numbers)
      if (one.stage == AttentionStage::weights && numbers.rows.empty() && !numbers.columns.empty())
        weights_ = &numbers;
  for (const ExplainedStage& one : stages) stage(one);
}

std::string heading_of(const ExplainedStep& step, const Explanation& explanation) {
  std::string text = fmt::format(
      "Step {} of {}: after {} {} {}, p = {}", step.number, explanation.step_count,
      quoted(step.previous), explanation.target_is_given ? "comes, as given," : "the model writes",
      quoted(step.chosen.token), number_text(step.chosen.probability));
  const char* separator = "; others ";
  for (const ExplainedToken& other : step.others) {
    const std::string more =
        fmt::format("{}{} {}", separator, quoted(other.token), number_text(other.probability));
    if (utf8::display_width(text + more) > kColumns) break;
    text += more;
    separator = ", ";
  }
  return text;
}

}  // namespace

std::string number_text(double value) {
  constexpr double kFine = 1000;
  return std::abs(value) < kFine ? fmt::format("{:.4f}", value) : fmt::format("{:.5g}", value);
}

std::string to_text(const Explanation& explanation) {
  Writer writer;
  writer.line(utf8::shortened(explanation.title, kColumns));
  writer.line(fmt::format("{}: {}", explanation.run, explanation.model));
  writer.line("Stages 2 to 7 are those of " + explanation.subject);
  writer.line();
  writer.line("Once for the source");
  writer.stages(explanation.preparation);
  for (const ExplainedStep& step : explanation.steps) {
    writer.line();
    writer.line();
    writer.line(heading_of(step, explanation));
    writer.stages(step.stages);
  }
  return writer.text();
}

}  // namespace attune
