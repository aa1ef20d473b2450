#include "attune/optim/reduce_on_plateau.h"

#include <algorithm>
#include <cmath>

namespace attune {

ReduceOnPlateau::ReduceOnPlateau(double factor, std::int64_t patience, double minimum)
    : reduction_(factor), patience_(patience), minimum_(minimum) {
  ATTUNE_CHECK(factor > 0 && factor < 1, "ReduceOnPlateau: the factor is {}; expected 0 < f < 1",
               factor);
  ATTUNE_CHECK(patience >= 0, "ReduceOnPlateau: the patience is {}; expected at least 0", patience);
}

double ReduceOnPlateau::factor(std::int64_t) const { return now_; }

void ReduceOnPlateau::observe(double loss) {
  constexpr double kProgress = 1e-4;  // smallest improvement that counts, relative to the best loss
  const bool progress =
      std::isinf(best_) ? loss < best_ : loss < best_ - kProgress * std::fabs(best_);
  if (progress) {
    best_ = loss;
    without_progress_ = 0;
  } else if (++without_progress_ > patience_) {
    now_ = std::max(now_ * reduction_, minimum_);
    without_progress_ = 0;
  }
}

NamedArrays ReduceOnPlateau::state() const {
  return {{"factor", number_array(now_)},
          {"best", number_array(best_)},
          {"without_progress", number_array(static_cast<double>(without_progress_))}};
}

void ReduceOnPlateau::load_state(const NamedArrays& state) {
  const auto value = [&](const char* name) {
    for (const auto& [key, array] : state)
      if (key == name) return array.item();
    fail("load_state: the state of the schedule has no '{}'", name);
  };
  ATTUNE_CHECK(state.size() == 3, "load_state: {} values for a plateau schedule; expected 3",
               state.size());
  const double now = value("factor"), best = value("best"), without = value("without_progress");
  now_ = now;
  best_ = best;
  without_progress_ = static_cast<std::int64_t>(without);
}

}  // namespace attune
