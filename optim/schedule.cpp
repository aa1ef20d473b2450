#include "attune/optim/schedule.h"

namespace attune {

void Schedule::load_state(const NamedArrays& state) {
  ATTUNE_CHECK(state.empty(), "load_state: this schedule has no '{}'", state.front().first);
}

Warmup::Warmup(std::int64_t steps, std::unique_ptr<Schedule> then)
    : steps_(steps), then_(std::move(then)) {
  ATTUNE_CHECK(steps >= 1, "Warmup: {} steps; expected at least 1", steps);
}

double Warmup::factor(std::int64_t step) const {
  if (step >= steps_) return then_->factor(step - steps_);
  return static_cast<double>(step + 1) / static_cast<double>(steps_);
}

}  // namespace attune
