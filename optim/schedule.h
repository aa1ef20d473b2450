#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

/// Options of all schedules. make_schedule() checks them.
struct ScheduleOptions {
  std::int64_t total_steps = 0;   ///< of the training; warm-up included
  std::int64_t warmup_steps = 0;  ///< in which the factor rises to 1 in equal steps
  /// What the factor is multiplied by: for "step" every step_size updates (0.1 if not set), for
  /// "exponential" at every update (if not set, such that it reaches 0.01 after total_steps).
  std::optional<double> gamma = {};
  std::int64_t step_size = 0;  ///< of "step"; 0 is a third of the steps after the warm-up
  std::int64_t patience = 10;  ///< of "plateau": observations without progress that are tolerated
  double factor = 0.1;         ///< of "plateau": what to multiply by after that
  double minimum = 0;          ///< the lowest factor of "cosine", "linear" and "plateau"
};

/// The schedule of that name. With s steps of S done since the warm-up its factor is
///
///     constant      1
///     step          gamma^floor(s / step_size)
///     exponential   gamma^s
///     cosine        minimum + (1 - minimum) (1 + cos(pi s / S)) / 2       Loshchilov & Hutter 2017
///     linear        minimum + (1 - minimum) (1 - s / S)
///     inverse-sqrt  sqrt(W / (W + s))            Vaswani et al. 2017, sec. 5.3, with its peak at 1
///     plateau       multiplied by `factor` when `patience` + 1 losses in a row are not below the
///                   best one by 0.01% of its magnitude
///
/// where W is warmup_steps; 0 there means none, but for inverse-sqrt a tenth of the total (or 1).
/// "linear" with a warm-up is the triangle that Transformers are fine-tuned with (Devlin et al.
/// 2019). Errors: an unknown name (the known ones are listed), options out of range, no total_steps
/// where the formula needs them.
std::unique_ptr<Schedule> make_schedule(std::string_view name, const ScheduleOptions& options = {});

/// The names that make_schedule() knows.
std::vector<std::string> schedule_names();

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

/// Lowers the learning rate when a loss no longer falls: see "plateau" above. As PyTorch's
/// ReduceLROnPlateau with its defaults, but right for negative losses too.
class ReduceOnPlateau : public Schedule {
 public:
  explicit ReduceOnPlateau(double factor = 0.1, std::int64_t patience = 10, double minimum = 0);
  double factor(std::int64_t step) const override;
  void observe(double loss) override;
  NamedArrays state() const override;
  void load_state(const NamedArrays& state) override;

 private:
  double reduction_;
  std::int64_t patience_;
  double minimum_;
  double now_ = 1;
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t without_progress_ = 0;
};

}  // namespace attune
