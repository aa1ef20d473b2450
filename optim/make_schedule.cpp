#include "attune/optim/make_schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "attune/optim/reduce_on_plateau.h"

namespace attune {
namespace {

std::unique_ptr<Schedule> formula(std::function<double(std::int64_t)> f) {
  return std::make_unique<FormulaSchedule>(std::move(f));
}

// The number of steps after the warm-up, at least 1 so that formulas can divide by it. `what` needs
// total_steps to be set.
double steps_of(const ScheduleOptions& o, const char* what) {
  ATTUNE_CHECK(o.total_steps > 0, "make_schedule: {} needs total_steps, which is {}", what,
               o.total_steps);
  return static_cast<double>(std::max<std::int64_t>(1, o.total_steps - o.warmup_steps));
}

// The fraction of `steps` that is done, from 0 to 1.
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

}  // namespace

Family<ScheduleMaker>& schedules() {
  static Family<ScheduleMaker> family(
      "schedule",
      {
          {"constant", "1", "", constant},
          {"step", "gamma^floor(s / step_size)", "", in_steps},
          {"exponential", "gamma^s", "", exponential},
          {"cosine", "minimum + (1 - minimum) (1 + cos(pi s / S)) / 2",
           "Loshchilov and Hutter 2017, eq. 5", cosine},
          {"linear", "minimum + (1 - minimum) (1 - s / S)", "Devlin et al. 2019", linear},
          {"inverse-sqrt", "sqrt(W / (W + s)), W the warm-up", "Vaswani et al. 2017, sec. 5.3",
           inverse_sqrt},
          {"plateau", "lower whenever a loss no longer falls", "", plateau},
      });
  return family;
}

std::unique_ptr<Schedule> make_schedule(std::string_view name, const ScheduleOptions& options) {
  const ScheduleMaker& make = schedules().at(name).make;
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

std::vector<std::string> schedule_names() { return schedules().names(); }

}  // namespace attune
