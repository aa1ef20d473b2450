#include "attune/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attune/autograd/array/lookup.h"

namespace attune {
namespace {

std::unique_ptr<Schedule> formula(std::function<double(std::int64_t)> f) {
  return std::make_unique<FormulaSchedule>(std::move(f));
}

// The steps after the warm-up, where a formula needs them; at least 1, to divide by.
double steps_of(const ScheduleOptions& o, const char* what) {
  ATTUNE_CHECK(o.total_steps > 0, "make_schedule: {} needs total_steps, which is {}", what,
               o.total_steps);
  return static_cast<double>(std::max<std::int64_t>(1, o.total_steps - o.warmup_steps));
}

// How much of the training lies behind, from 0 to 1.
double progress(std::int64_t step, double steps) {
  return std::min(1.0, static_cast<double>(step) / steps);
}

std::unique_ptr<Schedule> constant(const ScheduleOptions&) {
  return formula([](std::int64_t) { return 1.0; });
}

std::unique_ptr<Schedule> in_steps(const ScheduleOptions& o) {
  const double gamma = o.gamma.value_or(0.1);
  const std::int64_t size =
      o.step_size > 0
          ? o.step_size
          : std::max<std::int64_t>(
                1, static_cast<std::int64_t>(steps_of(o, "'step' without step_size")) / 3);
  return formula([=](std::int64_t step) { return std::pow(gamma, step / size); });
}

std::unique_ptr<Schedule> exponential(const ScheduleOptions& o) {
  const double gamma =
      o.gamma ? *o.gamma : std::pow(0.01, 1 / steps_of(o, "'exponential' without gamma"));
  return formula([=](std::int64_t step) { return std::pow(gamma, step); });
}

std::unique_ptr<Schedule> cosine(const ScheduleOptions& o) {
  const double minimum = o.minimum, steps = steps_of(o, "'cosine'");
  return formula([=](std::int64_t step) {
    return minimum + (1 - minimum) * (1 + std::cos(std::numbers::pi * progress(step, steps))) / 2;
  });
}

std::unique_ptr<Schedule> linear(const ScheduleOptions& o) {
  const double minimum = o.minimum, steps = steps_of(o, "'linear'");
  return formula(
      [=](std::int64_t step) { return minimum + (1 - minimum) * (1 - progress(step, steps)); });
}

std::unique_ptr<Schedule> inverse_sqrt(const ScheduleOptions& o) {
  const double warmup = static_cast<double>(o.warmup_steps);
  return formula(
      [=](std::int64_t step) { return std::sqrt(warmup / (warmup + static_cast<double>(step))); });
}

std::unique_ptr<Schedule> plateau(const ScheduleOptions& o) {
  return std::make_unique<ReduceOnPlateau>(o.factor, o.patience, o.minimum);
}

using Maker = std::unique_ptr<Schedule> (*)(const ScheduleOptions&);

const NameTable<Maker>& table() {
  static const NameTable<Maker> makers = {
      {"constant", constant}, {"step", in_steps}, {"exponential", exponential},
      {"cosine", cosine},     {"linear", linear}, {"inverse-sqrt", inverse_sqrt},
      {"plateau", plateau},
  };
  return makers;
}

}  // namespace

void Schedule::load_state(const NamedArrays& state) {
  ATTUNE_CHECK(state.empty(), "load_state: this schedule knows no '{}'", state.front().first);
}

Warmup::Warmup(std::int64_t steps, std::unique_ptr<Schedule> then)
    : steps_(steps), then_(std::move(then)) {
  ATTUNE_CHECK(steps >= 1, "Warmup: {} steps; expected at least 1", steps);
}

double Warmup::factor(std::int64_t step) const {
  if (step >= steps_) return then_->factor(step - steps_);
  return static_cast<double>(step + 1) / static_cast<double>(steps_);
}

ReduceOnPlateau::ReduceOnPlateau(double factor, std::int64_t patience, double minimum)
    : reduction_(factor), patience_(patience), minimum_(minimum) {
  ATTUNE_CHECK(factor > 0 && factor < 1, "ReduceOnPlateau: the factor is {}; expected 0 < f < 1",
               factor);
  ATTUNE_CHECK(patience >= 0, "ReduceOnPlateau: the patience is {}; expected at least 0", patience);
}

double ReduceOnPlateau::factor(std::int64_t) const { return now_; }

void ReduceOnPlateau::observe(double loss) {
  constexpr double kProgress = 1e-4;  // a smaller share of the best loss does not count
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

std::unique_ptr<Schedule> make_schedule(std::string_view name, const ScheduleOptions& options) {
  const Maker make = look_up(table(), name, "schedule");
  ScheduleOptions o = options;
  ATTUNE_CHECK(o.warmup_steps >= 0 && (o.total_steps == 0 || o.warmup_steps < o.total_steps),
               "make_schedule: {} warm-up steps of {} in all; expected fewer, and none below 0",
               o.warmup_steps, o.total_steps);
  if (name == "inverse-sqrt" && o.warmup_steps == 0)
    o.warmup_steps = std::max<std::int64_t>(1, o.total_steps / 10);
  ATTUNE_CHECK(!o.gamma || (*o.gamma > 0 && *o.gamma <= 1),
               "make_schedule: gamma is {}; expected 0 < gamma <= 1", *o.gamma);
  ATTUNE_CHECK(o.minimum >= 0 && o.minimum <= 1,
               "make_schedule: the minimum is {}; expected a fraction from 0 to 1", o.minimum);
  ATTUNE_CHECK(o.step_size >= 0, "make_schedule: step_size is {}; expected at least 1",
               o.step_size);
  std::unique_ptr<Schedule> schedule = make(o);
  if (o.warmup_steps == 0) return schedule;
  return std::make_unique<Warmup>(o.warmup_steps, std::move(schedule));
}

std::vector<std::string> schedule_names() { return names_of(table()); }

}  // namespace attune
