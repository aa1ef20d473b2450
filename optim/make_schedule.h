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
  std::int64_t total_steps = 0;   ///< length of the training, warm-up included
  std::int64_t warmup_steps = 0;  ///< during which the factor rises linearly to 1
  /// The decay: "step" multiplies by it every step_size updates (default 0.1), "exponential" at
  /// every update (by default such that the factor reaches 0.01 after total_steps).
  std::optional<double> gamma = {};
  std::int64_t step_size = 0;  ///< of "step"; 0 means a third of the steps after the warm-up
  std::int64_t patience = 10;  ///< of "plateau": losses without improvement before the rate falls
  double factor = 0.1;         ///< of "plateau": the learning rate is then multiplied by this
  double minimum = 0;          ///< the lowest factor of "cosine", "linear" and "plateau"
};

using ScheduleMaker = std::function<std::unique_ptr<Schedule>(const ScheduleOptions&)>;

/// The schedules that can be chosen by name. A member makes the schedule after the warm-up;
/// make_schedule() adds the warm-up.
Family<ScheduleMaker>& schedules();
/// Makes the schedule called `name`. At step s of the S steps after the warm-up, its factor is
///
///     constant      1
///     step          gamma^floor(s / step_size)
///     exponential   gamma^s
///     cosine        minimum + (1 - minimum) (1 + cos(pi s / S)) / 2       Loshchilov & Hutter 2017
///     linear        minimum + (1 - minimum) (1 - s / S)
///     inverse-sqrt  sqrt(W / (W + s))            Vaswani et al. 2017, sec. 5.3, with its peak at 1
///     plateau       multiplied by `factor` after `patience` + 1 losses in a row that are not below
///                   the best one by 0.01% of its magnitude
///
/// where W is warmup_steps. W = 0 means no warm-up, except for inverse-sqrt, where it means a tenth
/// of total_steps, at least 1. "linear" with a warm-up is the triangular schedule that is common
/// for fine-tuning Transformers (Devlin et al. 2019). Errors: an unknown name (the message lists
/// the valid ones); an option out of range; total_steps not set although the schedule needs it.
std::unique_ptr<Schedule> make_schedule(std::string_view name, const ScheduleOptions& options = {});
/// The names that make_schedule() accepts.
std::vector<std::string> schedule_names();

}  // namespace attune
