#include "attune/train/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <utility>
#include <vector>

#include "attune/autograd/array/parse_number.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "attune/data/utf8.h"

namespace attune {
namespace {

constexpr double redraw_every = 0.1;  // seconds, on a terminal
constexpr double text_every = 10;     // seconds, elsewhere

bool can_draw(std::FILE* file) {
  const char* terminal = std::getenv("TERM");
  const bool dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
  return ::isatty(::fileno(file)) && !dumb;
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string duration(double seconds) {
  if (std::isnan(seconds)) return "";
  const std::int64_t whole = std::llround(seconds);
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string with_unit(double value) {
  if (value < 1e3) return fmt::format("{:5.0f}", value);
  if (value < 1e5) return fmt::format("{:4.1f}k", value / 1e3);
  return value < 1e6 ? fmt::format("{:4.0f}k", value / 1e3) : fmt::format("{:4.1f}M", value / 1e6);
}

double fraction(const ProgressState& state) {
  if (state.total <= 0) return 1;
  return std::clamp(static_cast<double>(state.done) / static_cast<double>(state.total), 0.0, 1.0);
}

// The figures in the order in which they are shown. If there is no room, the figure with the
// highest rank is dropped first.
struct Figure {
  int rank;
  std::string text;
};

std::vector<Figure> figures_of(const ProgressState& state) {
  const std::string total = fmt::format("{}", state.total);
  std::vector<Figure> figures = {
      {0, fmt::format("{:>{}}/{}", state.done, total.size(), total)},
      {5, fmt::format("{:3.0f}%", std::floor(100 * fraction(state)))},
  };
  const auto add = [&](int rank, double value, std::string text) {
    if (!std::isnan(value)) figures.push_back({rank, std::move(text)});
  };
  add(2, state.loss, fmt::format("loss {:.{}f}", state.loss, std::abs(state.loss) < 10 ? 4 : 2));
  add(3, state.accuracy, fmt::format("accuracy {:4.1f}%", 100 * state.accuracy));
  add(4, state.tokens_per_second, with_unit(state.tokens_per_second) + " tok/s");
  add(1, state.seconds_left, duration(state.seconds_left) + " left");
  add(1, state.seconds_taken, "took " + duration(state.seconds_taken));
  return figures;
}

std::string joined(std::string line, const std::vector<Figure>& figures) {
  for (const Figure& figure : figures) {
    line += (&figure == &figures.front() ? " " : "  ") + figure.text;
  }
  return line;
}

std::string bar_of(double part, int width) {
  const int halves = static_cast<int>(std::floor(part * 2 * width));
  std::string bar;
  for (int i = 0; i < width; ++i) {
    bar += halves >= 2 * i + 2 ? "━" : halves == 2 * i + 1 ? "╸" : "─";
  }
  return bar;
}

}  // namespace

TerminalSize size_of_terminal(std::FILE* file) {
  winsize known{};
  if (::ioctl(::fileno(file), TIOCGWINSZ, &known) != 0) known = {};
  const auto size = [](const char* variable, int system, int otherwise) {
    const char* text = std::getenv(variable);
    const int wanted = parse_number<int>(text == nullptr ? "" : text).value_or(0);
    return wanted > 0 ? wanted : system > 0 ? system : otherwise;
  };
  return {size("COLUMNS", known.ws_col, 80), size("LINES", known.ws_row, 24)};
}

std::string progress_text(const ProgressState& state) {
  return joined(utf8::printable(state.label), figures_of(state));
}

std::string progress_bar(const ProgressState& state, int columns) {
  constexpr int narrowest = 4, widest = 40, longest_label = 12;
  const std::string label =
      utf8::shortened(utf8::printable(state.label), std::max(longest_label, columns / 3));
  std::vector<Figure> figures = figures_of(state);
  for (;;) {
    const int room = columns - utf8::display_width(joined(label + " ", figures));
    if (room >= narrowest) {
      const std::string bar = bar_of(fraction(state), std::min(room, widest));
      return joined(fmt::format("{} {}", label, bar), figures);
    }
    if (figures.size() == 1) break;
    figures.erase(
        std::max_element(figures.begin(), figures.end(),
                         [](const Figure& a, const Figure& b) { return a.rank < b.rank; }));
  }
  return figures[0].text.substr(0, static_cast<std::size_t>(std::max(0, columns)));
}

SpeedReport::SpeedReport() : started_(steady_seconds()), shown_(started_) {}

void SpeedReport::update(std::int64_t lines, std::int64_t tokens) {
  constexpr double kEvery = 10;
  lines_ = lines, tokens_ = tokens;
  if (const double now = steady_seconds(); now - shown_ >= kEvery) show(now);
}

void SpeedReport::finish() {
  constexpr double kLong = 1;
  constexpr std::int64_t kMany = 100;
  if (const double now = steady_seconds(); now - started_ >= kLong || lines_ >= kMany) show(now);
}

void SpeedReport::show(double now) {
  shown_ = now;
  const double taken = now - started_;
  tell("{}: {}: {:.1f} s, {:.1f} sentences/s, {:.0f} tokens/s\n", program_name(),
       lines_text(lines_), taken, static_cast<double>(lines_) / taken,
       static_cast<double>(tokens_) / taken);
}

Progress::Progress(std::string label, std::int64_t total, std::int64_t done, Output output)
    : label_(std::move(label)),
      total_(total),
      done_(done),
      done_before_(done),
      output_(std::move(output)),
      shown_done_(done) {
  if (!output_.size) {
    output_.size = [file = output_.file] {
      return can_draw(file) ? size_of_terminal(file) : TerminalSize();
    };
  }
  if (!output_.seconds) output_.seconds = steady_seconds;
  started_ = shown_ = output_.seconds();
}

Progress::Progress(std::string label, std::int64_t total, std::int64_t done)
    : Progress(std::move(label), total, done, Output{}) {}

Progress::~Progress() {
  try {
    finish();
  } catch (...) {  // destructors must not throw, and another exception may be in flight
  }
}

ProgressState Progress::state() const {
  ProgressState state{label_, done_, total_, last_.loss, last_.accuracy};
  const double seconds = output_.seconds() - started_;
  const auto steps = static_cast<double>(done_ - done_before_);
  if (seconds > 0 && tokens_ > 0) state.tokens_per_second = static_cast<double>(tokens_) / seconds;
  if (finished_) {
    state.seconds_taken = seconds;
  } else if (steps > 0) {
    state.seconds_left =
        seconds / steps * static_cast<double>(std::max<std::int64_t>(0, total_ - done_));
  }
  return state;
}

// Moves the cursor from the last line that was drawn to the start of the bar.
std::string Progress::to_bar() const {
  return lines_below_ == 0 ? "\r" : fmt::format("\r\x1b[{}A", lines_below_);
}

// The bar and the lines below it, in place of those that were drawn last.
std::string Progress::drawing(TerminalSize size) {
  // The last column is not used: some terminals start a new line after it is written.
  const int columns = size.columns - 1;
  std::string text = to_bar() + progress_bar(state(), columns) + "\x1b[K";
  std::vector<std::string> lines;
  if (below_) lines = below_({columns, size.rows - 2});
  for (const std::string& line : lines) text += "\n" + line + "\x1b[K";
  if (lines.size() < lines_below_) text += "\x1b[J";
  lines_below_ = lines.size();
  return text;
}

void Progress::show() {
  const TerminalSize size = output_.size();
  const std::string text = size.columns > 0 ? drawing(size) : progress_text(state()) + "\n";
  std::fputs(text.c_str(), output_.file);
  std::fflush(output_.file);
  shown_ = output_.seconds();
  shown_done_ = done_;
}

void Progress::show_below(std::function<std::vector<std::string>(TerminalSize)> lines) {
  below_ = std::move(lines);
}

void Progress::step(const Step& step) {
  ++done_;
  tokens_ += step.tokens;
  last_ = step;
  const double waited = output_.seconds() - shown_;
  if (is_terminal()) {
    if (waited >= redraw_every) show();
  } else if (done_ < total_) {  // finish() shows the last step
    const auto tenth = [&](std::int64_t done) {
      return 10 * done / std::max<std::int64_t>(1, total_);
    };
    if (tenth(done_) > tenth(shown_done_) || waited >= text_every) show();
  }
}

void Progress::print(std::string_view line) {
  const bool bar = is_terminal() && !finished_;
  const std::string text = bar ? to_bar() + "\x1b[J" + utf8::printable(line) : std::string(line);
  if (bar) lines_below_ = 0;
  std::fputs((text + '\n').c_str(), output_.file);
  if (bar && done_ > done_before_) show();
  std::fflush(output_.file);
}

void Progress::finish() {
  if (finished_) return;
  finished_ = true;
  if (done_ == done_before_) return;
  show();
  if (is_terminal()) std::fputs("\n", output_.file);
  std::fflush(output_.file);
}

}  // namespace attune
