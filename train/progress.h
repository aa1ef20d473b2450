#pragma once

#include <cstdint>
#include <cstdio>
#include <functional>
#include <limits>
#include <string>
#include <string_view>

namespace attune {

/// What a progress line shows. Values that are NaN are left out.
struct ProgressState {
  static constexpr double none = std::numeric_limits<double>::quiet_NaN();

  std::string_view label;
  std::int64_t done = 0, total = 0;  ///< steps
  double loss = none;
  double accuracy = none;  ///< a fraction
  double tokens_per_second = none;
  double seconds_left = none, seconds_taken = none;
};

/// The columns of the terminal that `file` is: what COLUMNS says, else what the system knows, else
/// 80.
int columns_of_terminal(std::FILE* file);

/// `state` in one line of at most `columns` columns, with a bar and without a line end. A label of
/// more than a third of them is cut. Where there is no room the bar shrinks, then figures go, the
/// least needed first. Control characters in the label are made visible, see utf8::printable().
std::string progress_bar(const ProgressState& state, int columns);

/// `state` in one line without a bar or a line end, for a file.
std::string progress_text(const ProgressState& state);

/// Shows how far long work has come: on a terminal one line, drawn again at most ten times a
/// second; elsewhere a line for every tenth of the work and at least every ten seconds.
///
///     Progress progress("training", steps);
///     for (...) progress.step({.loss = loss, .accuracy = accuracy, .tokens = tokens});
///     progress.finish();
class Progress {
 public:
  /// Where to write and what time it is. The defaults are for programs, others for tests.
  struct Output {
    std::FILE* file = stderr;
    /// The columns of the terminal, asked for each line; 0 if `file` is none. By default the system
    /// is asked, and a terminal of TERM=dumb counts as none.
    std::function<int()> columns = {};
    /// A clock in seconds; by default one that never goes back.
    std::function<double()> seconds = {};
  };

  /// What one step has to tell; NaN is left out.
  struct Step {
    double loss = ProgressState::none;
    double accuracy = ProgressState::none;  ///< a fraction
    std::int64_t tokens = 0;                ///< handled in this step
  };

  /// Work of `total` steps. `done` of them were done before, when training goes on from a saved
  /// model, say; speed and time left count from here.
  Progress(std::string label, std::int64_t total, std::int64_t done, Output output);
  explicit Progress(std::string label, std::int64_t total, std::int64_t done = 0);

  /// Calls finish(), so that whatever is written next, an error message say, gets its own line.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// One more step is done.
  void step(const Step& step);

  /// Writes `line` above the bar; on a terminal its control characters are made visible.
  void print(std::string_view line);

  /// Shows the last step with the time taken and ends the line. Later calls do nothing; nor does
  /// the first one if there was no step.
  void finish();

 private:
  ProgressState state() const;
  void show();

  std::string label_;
  std::int64_t total_, done_, done_before_, tokens_ = 0;
  Output output_;
  Step last_;
  double started_, shown_;   // seconds
  std::int64_t shown_done_;  // steps when last shown
  bool finished_ = false;
};

}  // namespace attune
