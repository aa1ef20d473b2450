#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "attune/autograd/array/named_arrays.h"

namespace attune {

/// How the learning rate changes during training, as a factor of the initial one:
///
///     optimizer.scale_learning_rate(schedule->factor(step));
///     optimizer.step();
class Schedule {
 public:
  virtual ~Schedule() = default;
  /// The factor for update `step`, counted from 0.
  virtual double factor(std::int64_t step) const = 0;
  /// Reports a loss, of validation for example, to schedules that depend on one.
  virtual void observe(double /*loss*/) {}
  /// The state for a checkpoint; empty for schedules that depend on the step alone.
  virtual NamedArrays state() const { return {}; }
  /// Restores a state(). Errors: a name that is missing or unknown.
  virtual void load_state(const NamedArrays& state);
};

/// A schedule that is a formula of the step: FormulaSchedule([](auto step) { return ...; }).
class FormulaSchedule : public Schedule {
 public:
  explicit FormulaSchedule(std::function<double(std::int64_t)> formula)
      : formula_(std::move(formula)) {}
  double factor(std::int64_t step) const override { return formula_(step); }

 private:
  std::function<double(std::int64_t)> formula_;
};

/// Rises to 1 in `steps` equal steps, (step + 1) / steps, and then goes on with another schedule,
/// whose own steps count from there (Goyal et al. 2017, sec. 2.2).
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
