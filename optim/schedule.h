#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "attune/autograd/array/named_arrays.h"

namespace attune {

/// Base class of learning-rate schedules: the learning rate of each step as a factor of the initial
/// one.
///
///     optimizer.scale_learning_rate(schedule->factor(step));
///     optimizer.step();
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// The factor for step `step`, counted from 0.
  virtual double factor(std::int64_t step) const = 0;
  /// Reports a loss, for example of the validation data, to schedules that depend on it.
  virtual void observe(double /*loss*/) {}
  /// The state for a checkpoint; empty for schedules that depend on the step alone.
  virtual NamedArrays state() const { return {}; }
  /// Restores a state(). Errors: a missing or unknown name.
  virtual void load_state(const NamedArrays& state);
};

/// A schedule given by a function of the step: FormulaSchedule([](auto step) { return ...; }).
class FormulaSchedule : public Schedule {
 public:
  explicit FormulaSchedule(std::function<double(std::int64_t)> formula)
      : formula_(std::move(formula)) {}
  double factor(std::int64_t step) const override { return formula_(step); }

 private:
  std::function<double(std::int64_t)> formula_;
};

/// Linear warm-up (Goyal et al. 2017, sec. 2.2): the factor is (step + 1) / steps in the first
/// `steps` steps, then that of the schedule `then`, whose steps are counted from there.
/// Errors: `steps` below 1.
class Warmup : public Schedule {
 public:
  Warmup(std::int64_t steps, std::unique_ptr<Schedule> then);
  double factor(std::int64_t step) const override;
  void observe(double loss) override { then_->observe(loss); }
  NamedArrays state() const override { return then_->state(); }
  void load_state(const NamedArrays& state) override { then_->load_state(state); }

 private:
  std::int64_t steps_;
  std::unique_ptr<Schedule> then_;
};

}  // namespace attune
