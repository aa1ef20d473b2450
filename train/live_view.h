#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "attune/train/progress.h"
#include "attune/train/questions.h"

namespace attune {

/// The course of a loss over a training of any length, in bounded memory: means of consecutive
/// values, equally many for each.
class LossHistory {
 public:
  void add(double loss);
  /// The means so far, without those that are not finite.
  std::vector<double> means() const;
  /// "loss 3.21 ▇▆▅▃▂▁ 0.012", the first and the last mean and a sparkline on a logarithmic scale
  /// between them; of at most `columns` columns, and empty if these are too few, or without means.
  std::string line(int columns) const;

 private:
  static constexpr std::size_t kMost = 512;  // means; if there are more, pairs of them are joined

  std::vector<double> means_;
  std::int64_t each_ = 1;  // values in a mean
  double sum_ = 0;         // of those that are not in a mean yet
  std::int64_t count_ = 0;
};

/// What a training shows on a terminal below its progress bar: the course of the loss, and the
/// alignment of a pair with its target given, as it is at the moment. The training has the same
/// bits with and without it.
class LiveView {
 public:
  /// Shows the first of these questions whose heat map fits. None: the loss only. The run must
  /// exist as long as this.
  LiveView(const Run& run, std::vector<Question> questions);

  void add_loss(double loss) { losses_.add(loss); }
  /// The lines to show, at most `room`. The alignment is computed at most twice a second, and in at
  /// most a twentieth of the time.
  std::vector<std::string> lines(TerminalSize room);

 private:
  using Clock = std::chrono::steady_clock;

  std::vector<std::string> heat_map(TerminalSize room) const;

  const Run& run_;
  std::vector<Question> questions_;
  LossHistory losses_;
  std::vector<std::string> map_;
  int map_columns_ = 0;          // of the terminal for which it was drawn
  Clock::time_point next_ = {};  // when to compute it again
};

}  // namespace attune
