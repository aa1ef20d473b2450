#include "attune/train/counters.h"

#include "attune/train/training_state.h"

namespace attune {

bool BestScore::observe(double score) {
  const bool better = score < best_;
  if (better) best_ = score;
  without_progress_ = better ? 0 : without_progress_ + 1;
  return better;
}

NamedArrays BestScore::state() const {
  return {{"best", number_array(best_)},
          {"without_progress", number_array(static_cast<double>(without_progress_))}};
}

void BestScore::load_state(const NamedArrays& state) {
  best_ = number_in(state, "best");
  without_progress_ = count_in(state, "without_progress");
}

NamedArrays RunningMean::state() const {
  return {{"sum", number_array(sum_)}, {"count", number_array(static_cast<double>(count_))}};
}

void RunningMean::load_state(const NamedArrays& state) {
  sum_ = number_in(state, "sum");
  count_ = count_in(state, "count");
}

double Stopwatch::seconds() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - started_;
  return before_ + passed.count();
}

NamedArrays Stopwatch::state() const { return {{"seconds", number_array(seconds())}}; }

void Stopwatch::load_state(const NamedArrays& state) {
  before_ = number_in(state, "seconds");
  started_ = std::chrono::steady_clock::now();
}

}  // namespace attune
