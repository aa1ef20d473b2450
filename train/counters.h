#pragma once

#include <chrono>
#include <cstdint>
#include <limits>

#include "attune/autograd/array/named_arrays.h"

/// Counters of a training loop. A checkpoint stores the state() of each, and load_state() restores
/// it when the training is resumed. Errors of load_state(): a missing or invalid number.
namespace attune {

/// Tracks a score that should decrease, such as an error rate on validation data: the lowest score
/// so far, and the number of scores since then, for early stopping (Prechelt 1998, "Early Stopping
/// - But When?").
class BestScore {
 public:
  /// Records a score; returns true if it is lower than all before, which NaN never is.
  bool observe(double score);
  double best() const { return best_; }  ///< infinity before the first score
  /// The number of scores since the best one.
  std::int64_t without_progress() const { return without_progress_; }

  NamedArrays state() const;
  void load_state(const NamedArrays& state);

 private:
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t without_progress_ = 0;
};

/// The mean of the numbers since the last reset, such as the losses since the last line of a log.
class RunningMean {
 public:
  void add(double number) { sum_ += number, ++count_; }
  double mean() const { return sum_ / static_cast<double>(count_); }  ///< NaN if there is none
  void reset() { *this = {}; }

  NamedArrays state() const;
  void load_state(const NamedArrays& state);

 private:
  double sum_ = 0;
  std::int64_t count_ = 0;
};

/// The time that a training has taken, excluding the time between an interruption and resumption.
class Stopwatch {
 public:
  double seconds() const;

  NamedArrays state() const;
  void load_state(const NamedArrays& state);

 private:
  double before_ = 0;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

}  // namespace attune
