#include "attune/optim/make_schedule.h"

#include <cmath>
#include <numbers>

#include "catch.h"

using namespace attune;

namespace {

std::vector<double> factors(const Schedule& schedule, const std::vector<std::int64_t>& steps) {
  std::vector<double> result;
  for (const std::int64_t step : steps) result.push_back(schedule.factor(step));
  return result;
}

void require_factors(const Schedule& schedule, const std::vector<std::int64_t>& steps,
                     const std::vector<double>& expected) {
  const std::vector<double> found = factors(schedule, steps);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    INFO("step " << steps[i]);
    REQUIRE(found[i] == Approx(expected[i]).margin(1e-12));
  }
}

}  // namespace

TEST_CASE("the constant schedule stays at 1") {
  require_factors(*make_schedule("constant"), {0, 1, 1000}, {1, 1, 1});
}

TEST_CASE("the step schedule falls by gamma every step_size updates") {
  require_factors(*make_schedule("step", {.gamma = 0.5, .step_size = 10}), {0, 9, 10, 19, 20, 35},
                  {1, 1, 0.5, 0.5, 0.25, 0.125});
  require_factors(*make_schedule("step", {.total_steps = 30}), {0, 9, 10, 20, 29},
                  {1, 1, 0.1, 0.01, 0.01});
}

TEST_CASE("the exponential schedule falls by gamma at every update") {
  require_factors(*make_schedule("exponential", {.gamma = 0.5}), {0, 1, 2, 10},
                  {1, 0.5, 0.25, std::pow(0.5, 10)});
  require_factors(*make_schedule("exponential", {.total_steps = 40}), {0, 20, 40}, {1, 0.1, 0.01});
}

TEST_CASE("the cosine schedule falls along half a wave to its minimum") {
  const auto schedule = make_schedule("cosine", {.total_steps = 12, .minimum = 0.1});
  require_factors(*schedule, {0, 4, 6, 8, 12, 20},
                  {1, 0.1 + 0.9 * 0.75, 0.1 + 0.9 * 0.5, 0.1 + 0.9 * 0.25, 0.1, 0.1});
  require_factors(*schedule, {1}, {0.1 + 0.45 * (1 + std::cos(std::numbers::pi / 12))});
}

TEST_CASE("the linear schedule falls linearly to its minimum") {
  require_factors(*make_schedule("linear", {.total_steps = 10, .minimum = 0.5}), {0, 5, 10, 11},
                  {1, 0.75, 0.5, 0.5});
}

TEST_CASE("a warm-up rises to 1 and is followed by any schedule") {
  require_factors(*make_schedule("constant", {.warmup_steps = 4}), {0, 1, 2, 3, 4, 99},
                  {0.25, 0.5, 0.75, 1, 1, 1});
  require_factors(*make_schedule("linear", {.total_steps = 14, .warmup_steps = 4}),
                  {0, 3, 4, 9, 14}, {0.25, 1, 1, 0.5, 0});
  require_factors(*make_schedule("cosine", {.total_steps = 14, .warmup_steps = 4}), {1, 4, 9, 14},
                  {0.5, 1, 0.5, 0});
}

TEST_CASE("the inverse square root schedule is the Transformer's, scaled to peak at 1") {
  const auto schedule = make_schedule("inverse-sqrt", {.warmup_steps = 400});
  const auto vaswani = [](double n) {  // d_model^-0.5 min(n^-0.5, n W^-1.5) with n from 1
    return std::min(std::pow(n, -0.5), n * std::pow(400, -1.5));
  };
  for (const std::int64_t step : {0, 1, 200, 398, 399, 400, 401, 1600, 40000})
    REQUIRE(schedule->factor(step) ==
            Approx(vaswani(static_cast<double>(step < 400 ? step + 1 : step)) / vaswani(400)));
  require_factors(*make_schedule("inverse-sqrt", {.total_steps = 40}), {0, 3, 4, 16, 64},
                  {0.25, 1, 1, 0.5, 0.25});
}

TEST_CASE("every schedule is finite for trainings of one and two updates") {
  for (const std::string& name : schedule_names())
    for (const std::int64_t total : {1, 2})
      for (const std::int64_t warmup : {0, 1}) {
        if (warmup >= total) continue;
        INFO(name << ", " << total << " updates, " << warmup << " of them warm-up");
        const auto schedule = make_schedule(name, {.total_steps = total, .warmup_steps = warmup});
        REQUIRE(schedule->factor(0) == 1);
        for (std::int64_t step = 0; step <= total; ++step) {
          REQUIRE(schedule->factor(step) >= 0);
          REQUIRE(schedule->factor(step) <= 1);
        }
      }
}

TEST_CASE("the plateau schedule also works for negative losses") {
  const auto schedule = make_schedule("plateau", {.patience = 1, .factor = 0.5});
  for (int i = 0; i < 3; ++i) schedule->observe(-5);
  REQUIRE(schedule->factor(0) == 0.5);
  schedule->observe(-5.0001);  // less than 0.01% better
  schedule->observe(-6);
  schedule->observe(-6);
  REQUIRE(schedule->factor(0) == 0.5);
  schedule->observe(-6);
  REQUIRE(schedule->factor(0) == 0.25);
}

TEST_CASE("the plateau schedule falls when the loss stops improving") {
  const auto schedule = make_schedule("plateau", {.patience = 2, .factor = 0.5, .minimum = 0.2});
  const auto after = [&](double loss) {
    schedule->observe(loss);
    return schedule->factor(0);
  };
  REQUIRE(schedule->factor(0) == 1);
  REQUIRE(after(10) == 1);
  REQUIRE(after(10) == 1);      // 1 without progress
  REQUIRE(after(9.9999) == 1);  // 2: less than 0.01% better
  REQUIRE(after(9) == 1);       // progress
  REQUIRE(after(9.5) == 1);     // 1
  REQUIRE(after(NAN) == 1);     // 2
  REQUIRE(after(9) == 0.5);     // 3: more than the patience
  REQUIRE(after(9) == 0.5);     // the count begins again
  REQUIRE(after(9) == 0.5);
  REQUIRE(after(9) == 0.25);
  for (int i = 0; i < 3; ++i) after(9);
  REQUIRE(schedule->factor(0) == 0.2);  // the minimum
}

TEST_CASE("the plateau schedule resumes from its saved state") {
  const ScheduleOptions options{.warmup_steps = 2, .patience = 1, .factor = 0.5};
  const auto through = make_schedule("plateau", options);
  const auto stopped = make_schedule("plateau", options);
  for (const double loss : {3.0, 2.0, 2.0}) {
    through->observe(loss);
    stopped->observe(loss);
  }
  const auto restored = make_schedule("plateau", options);
  restored->load_state(stopped->state());
  for (const double loss : {2.0, 1.0, 1.0, 1.0}) {
    through->observe(loss);
    restored->observe(loss);
    REQUIRE(restored->factor(5) == through->factor(5));
  }
  REQUIRE(restored->factor(5) == 0.25);

  REQUIRE_THROWS_WITH(restored->load_state({}), contains("expected 3"));
  REQUIRE_THROWS_WITH(make_schedule("constant")->load_state(stopped->state()),
                      contains("has no 'factor'"));
}

TEST_CASE("make_schedule accepts every name of a schedule") {
  for (const std::string& name : schedule_names()) {
    INFO(name);
    REQUIRE(make_schedule(name, {.total_steps = 100})->factor(99) <= 1);
  }
}

TEST_CASE("make_schedule errors name unknown schedules and missing options") {
  REQUIRE_THROWS_WITH(
      make_schedule("cosines"),
      contains("schedule: 'cosines' is unknown; known are constant, step, exponential, "
               "cosine, linear, inverse-sqrt, plateau"));
  REQUIRE_THROWS_WITH(make_schedule("cosine"), contains("'cosine' needs total_steps"));
  REQUIRE_THROWS_WITH(make_schedule("step"), contains("'step' without step_size needs total"));
  REQUIRE_THROWS_WITH(make_schedule("linear", {.total_steps = 5, .warmup_steps = 5}),
                      contains("5 warm-up steps of 5 in all"));
  REQUIRE_THROWS_WITH(make_schedule("exponential", {.gamma = 1.5}), contains("gamma is 1.5"));
  REQUIRE_THROWS_WITH(make_schedule("plateau", {.factor = 1}), contains("the factor is 1"));
  REQUIRE_THROWS_WITH(make_schedule("linear", {.total_steps = 5, .minimum = 2}),
                      contains("the minimum is 2"));
}
