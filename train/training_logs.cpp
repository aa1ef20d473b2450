#include "attune/train/training_logs.h"

#include "attune/autograd/array/error.h"
#include "attune/train/training_state.h"

namespace attune {
namespace {

void write(MetricsLog& log, const std::vector<MetricsField>& fields) {
  try {
    log.write(fields);
  } catch (const Error&) {  // the line is written later
  }
}

}  // namespace

void TrainingLogs::open(std::int64_t metrics_bytes, std::int64_t speed_bytes) {
  metrics_.emplace(folder_ + "/metrics.jsonl", metrics_bytes);
  speed_.emplace(folder_ + "/speed.jsonl", speed_bytes);
}

void TrainingLogs::begin() { open(0, 0); }

void TrainingLogs::step(std::int64_t step, const StepResult& result, double learning_rate) {
  write(*metrics_, {{"step", step},
                    {"loss", result.loss},
                    {"accuracy", result.accuracy},
                    {"learning_rate", learning_rate},
                    {"gradient_norm", result.gradient_norm}});
  write(*speed_, {{"step", step}, {"seconds", watch_.seconds()}, {"target_tokens", tokens_}});
}

void TrainingLogs::skipped(std::int64_t step, std::int64_t skipped) {
  write(*metrics_, {{"step", step}, {"skipped_steps", skipped}});
}

void TrainingLogs::validation(std::int64_t step, const Validation::Result& result) {
  const Scores& scores = result.measures.scores;
  std::vector<MetricsField> fields = {{"step", step},
                                      {"valid_loss", result.loss},
                                      {"valid_sequence_accuracy", scores.sequence_accuracy()},
                                      {"valid_token_error_rate", scores.token_error_rate()}};
  for (const auto& [name, is_share, value] : result.measures.of_attention())
    if (value) fields.push_back({"valid_" + name, *value});
  write(*metrics_, fields);
}

void TrainingLogs::save() {
  metrics_->sync();
  speed_->sync();
}

NamedArrays TrainingLogs::state() const {
  const auto number = [](std::int64_t count) { return number_array(static_cast<double>(count)); };
  NamedArrays state = watch_.state();
  state.emplace_back("metrics_bytes", number(metrics_->bytes()));
  state.emplace_back("speed_bytes", number(speed_->bytes()));
  state.emplace_back("tokens", number(tokens_));
  return state;
}

void TrainingLogs::load_state(const NamedArrays& state) {
  watch_.load_state(state);
  tokens_ = count_in(state, "tokens");
  open(count_in(state, "metrics_bytes"), count_in(state, "speed_bytes"));
}

}  // namespace attune
