#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/train/counters.h"
#include "attune/train/metrics_log.h"
#include "attune/train/train_step.h"
#include "attune/train/validation.h"

namespace attune {

/// The logs of a training in its run folder: metrics.jsonl, which equal trainings write equally,
/// and speed.jsonl, which they do not. Lines that cannot be written wait, until save() finds out
/// whether they still cannot. After begin() or load_state() only.
class TrainingLogs {
 public:
  /// The folder to write to, before begin() or load_state().
  void set_folder(const std::string& folder) { folder_ = folder; }
  /// Begins empty logs. Errors: the system's.
  void begin();

  /// {"step", "loss", "accuracy", "learning_rate", "gradient_norm"}, and in the log of speed
  /// {"step", "seconds", "target_tokens"}, both since the training began.
  void step(std::int64_t step, const StepResult& result, double learning_rate);
  /// {"step", "skipped_steps"}: how many there are by now.
  void skipped(std::int64_t step, std::int64_t skipped);
  /// {"step", "valid_loss", "valid_sequence_accuracy", "valid_token_error_rate"}.
  void validation(std::int64_t step, const Validation::Result& result);
  /// Counts the target tokens of a step.
  void count(std::int64_t tokens) { tokens_ += tokens; }

  /// Has all lines on the disk. Errors: they cannot be written.
  void save();

  /// How long the logs are, time and tokens.
  NamedArrays state() const;
  /// Cuts the logs back to what they were. Errors: as MetricsLog's.
  void load_state(const NamedArrays& state);

 private:
  void open(std::int64_t metrics_bytes, std::int64_t speed_bytes);

  std::string folder_;
  std::optional<MetricsLog> metrics_, speed_;
  Stopwatch watch_;
  std::int64_t tokens_ = 0;
};

}  // namespace attune
