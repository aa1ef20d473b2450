#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/optim/schedule.h"

namespace attune {

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

using ScheduleMaker = std::function<std::unique_ptr<Schedule>(const ScheduleOptions&)>;

/// The schedules that can be chosen by name. A member makes what follows the warm-up, which
/// make_schedule() puts before it.
Family<ScheduleMaker>& schedules();
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

}  // namespace attune
