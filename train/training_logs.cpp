#include "attune/train/training_logs.h"

#include <algorithm>

#include "attune/alignment/heat_map.h"
#include "attune/autograd/array/error.h"
#include "attune/train/training_state.h"

namespace attune {
namespace {

constexpr const char* kEventBytes = "event_bytes";  // in a state with events only

// Writes to a log. What cannot be written is written later.
template <typename Write>
void try_to(Write write) {
  try {
    write();
  } catch (const Error&) {
  }
}

}  // namespace

// Opens the logs and truncates them to these sizes; without a size for events, on request only.
void TrainingLogs::open(std::int64_t metrics_bytes, std::int64_t speed_bytes,
                        std::optional<std::int64_t> event_bytes) {
  metrics_.emplace(folder_ + "/metrics.jsonl", metrics_bytes);
  speed_.emplace(folder_ + "/speed.jsonl", speed_bytes);
  if (event_bytes || wants_events_)
    events_.emplace(folder_ + "/" + kEventFile, event_bytes.value_or(0));
}

void TrainingLogs::begin() { open(0, 0, {}); }

void TrainingLogs::write_metrics(std::int64_t step, const std::vector<MetricsField>& fields) {
  std::vector<MetricsField> line = {{"step", step}};
  line.insert(line.end(), fields.begin(), fields.end());
  try_to([&] { metrics_->write(line); });
  if (events_) try_to([&] { events_->scalars(step, fields); });
}

void TrainingLogs::step(std::int64_t step, const StepResult& result, double learning_rate) {
  write_metrics(step, {{"loss", result.loss},
                       {"accuracy", result.accuracy},
                       {"learning_rate", learning_rate},
                       {"gradient_norm", result.gradient_norm}});
  try_to([&] {
    speed_->write({{"step", step}, {"seconds", watch_.seconds()}, {"target_tokens", tokens_}});
  });
}

void TrainingLogs::skipped(std::int64_t step, std::int64_t skipped) {
  write_metrics(step, {{"skipped_steps", skipped}});
}

void TrainingLogs::validation(std::int64_t step, const Validation::Result& result) {
  const Scores& scores = result.measures.scores;
  std::vector<MetricsField> fields = {{"valid_loss", result.loss},
                                      {"valid_sequence_accuracy", scores.sequence_accuracy()},
                                      {"valid_token_error_rate", scores.token_error_rate()}};
  for (const auto& [name, is_share, value] : result.measures.of_attention())
    if (value) fields.push_back({"valid_" + name, *value});
  if (result.text_score) fields.push_back({"valid_" + result.text_metric, *result.text_score});
  write_metrics(step, fields);
  if (!events_ || !has_cairo() || !result.example) return;
  const std::string picture = to_png(*result.example);
  try_to([&] { events_->image(step, "alignment", picture); });
}

void TrainingLogs::save() {
  metrics_->sync();
  speed_->sync();
  if (events_) events_->sync();
}

NamedArrays TrainingLogs::state() const {
  const auto number = [](std::int64_t count) { return number_array(static_cast<double>(count)); };
  NamedArrays state = watch_.state();
  state.emplace_back("metrics_bytes", number(metrics_->bytes()));
  state.emplace_back("speed_bytes", number(speed_->bytes()));
  if (events_) state.emplace_back(kEventBytes, number(events_->bytes()));
  state.emplace_back("tokens", number(tokens_));
  return state;
}

void TrainingLogs::load_state(const NamedArrays& state) {
  watch_.load_state(state);
  tokens_ = count_in(state, "tokens");
  const bool has_events = std::any_of(state.begin(), state.end(),
                                      [](const auto& entry) { return entry.first == kEventBytes; });
  open(count_in(state, "metrics_bytes"), count_in(state, "speed_bytes"),
       has_events ? std::optional(count_in(state, kEventBytes)) : std::nullopt);
}

}  // namespace attune
