#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace attune {

/// The content of a progress line. Values that are NaN are left out.
struct ProgressState {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::string_view label;
  std::int64_t done = 0, total = 0;  ///< steps
  double loss = none;
  double accuracy = none;  ///< a fraction
  double tokens_per_second = none;
  double seconds_left = none, seconds_taken = none;
};

/// The size of a terminal in characters.
struct TerminalSize {
  int columns = 0, rows = 0;
};

/// The size of the terminal `file`: from COLUMNS and LINES, otherwise from the system, otherwise 80
/// by 24.
TerminalSize size_of_terminal(std::FILE* file);

/// `state` as one line of at most `columns` columns, with a bar and without a line end. A label
/// longer than a third of the line is cut. If there is no room, the bar shrinks, then figures are
/// dropped, the least important first. Control characters in the label are made visible; see
/// utf8::printable().
std::string progress_bar(const ProgressState& state, int columns);

/// `state` as one line without a bar or a line end, for a file.
std::string progress_text(const ProgressState& state);

/// Shows the speed of work of unknown length on standard error: every ten seconds, and at the end
/// if it took a second or more, or 100 lines or more.
class SpeedReport {
 public:
  SpeedReport();
  /// Reports that in all `lines` lines and `tokens` tokens are done.
  void update(std::int64_t lines, std::int64_t tokens);
  void finish();

 private:
  void show(double now);

  double started_, shown_;  // seconds
  std::int64_t lines_ = 0, tokens_ = 0;
};

/// Shows the progress of a long computation: on a terminal, a line that is redrawn at most ten
/// times a second; elsewhere, a line for every tenth of the work and at least every ten seconds.
///
///     Progress progress("training", steps);
///     for (...) progress.step({.loss = loss, .accuracy = accuracy, .tokens = tokens});
///     progress.finish();
class Progress {
 public:
  /// The output and the clock. Tests replace the defaults.
  struct Output {
    std::FILE* file = stderr;
    /// The size of the terminal, called for each drawing; 0 columns if `file` is not a terminal.
    /// By default the system's, or 0 columns if TERM=dumb.
    std::function<TerminalSize()> size = {};
    /// A clock in seconds; by default a monotonic one.
    std::function<double()> seconds = {};
  };

  /// The figures of a step; NaN is left out.
  struct Step {
    double loss = ProgressState::none;
    double accuracy = ProgressState::none;  ///< a fraction
    std::int64_t tokens = 0;                ///< processed in this step
  };

  /// For `total` steps. `done` of them are done already, for example in a resumed training; speed
  /// and remaining time are measured from here.
  Progress(std::string label, std::int64_t total, std::int64_t done, Output output);
  explicit Progress(std::string label, std::int64_t total, std::int64_t done = 0);

  /// Calls finish(), so that the next output, such as an error message, starts on a new line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Shows lines below the bar on a terminal. `lines` is called for each drawing with the room that
  /// there is, and returns at most that many rows.
  void show_below(std::function<std::vector<std::string>(TerminalSize room)> lines);

  /// Reports that a step is done.
  void step(const Step& step);

  /// Writes `line` above the bar; on a terminal, its control characters are made visible.
  void print(std::string_view line);

  /// Shows the last step with the total time and ends the line. Does nothing if there was no step,
  /// or if called again.
  void finish();

 private:
  ProgressState state() const;
  bool is_terminal() const { return output_.size().columns > 0; }
  std::string drawing(TerminalSize size);
  std::string to_bar() const;
  void show();

  std::string label_;
  std::int64_t total_, done_, done_before_, tokens_ = 0;
  Output output_;
  std::function<std::vector<std::string>(TerminalSize)> below_;
  std::size_t lines_below_ = 0;  // when last drawn
  Step last_;
  double started_, shown_;   // seconds
  std::int64_t shown_done_;  // steps when last shown
  bool finished_ = false;
};

}  // namespace attune
