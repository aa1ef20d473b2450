#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/train/counters.h"
#include "attune/train/metrics_log.h"
#include "attune/train/tensorboard.h"
#include "attune/train/train_step.h"
#include "attune/train/validation.h"

namespace attune {

/// The logs of a training in its run folder: metrics.jsonl, which is the same for equal trainings,
/// speed.jsonl, which is not, and on request kEventFile, which has the numbers of metrics.jsonl for
/// TensorBoard. Lines and events that cannot be written are kept, and save() tries again. Call
/// begin() or load_state() before the other functions.
class TrainingLogs {
 public:
  /// The name is the same in each run, and contains what TensorBoard looks for.
  static constexpr const char* kEventFile = "events.out.tfevents.attune";

  /// Sets the folder to write to. Call this before begin() or load_state().
  void set_folder(const std::string& folder) { folder_ = folder; }
  /// Requests events for TensorBoard, before begin() or load_state(). A training that was resumed
  /// continues those that it has without a request.
  void request_events() { wants_events_ = true; }
  bool has_events() const { return events_.has_value(); }
  /// Starts empty logs. Errors: they cannot be created.
  void begin();

  /// Logs {"step", "loss", "accuracy", "learning_rate", "gradient_norm"}, and to speed.jsonl
  /// {"step", "seconds", "target_tokens"}, the last two since the training began.
  void step(std::int64_t step, const StepResult& result, double learning_rate);
  /// Logs {"step", "skipped_steps"}, the latter so far.
  void skipped(std::int64_t step, std::int64_t skipped);
  /// Logs {"step", "valid_loss", "valid_sequence_accuracy", "valid_token_error_rate"}, and what is
  /// known of Measures::of_attention(), such as "valid_attention_entropy". An event has the
  /// picture of the result's example as "alignment", if has_cairo().
  void validation(std::int64_t step, const Validation::Result& result);
  /// Counts the target tokens of a step.
  void count(std::int64_t tokens) { tokens_ += tokens; }

  /// Syncs all lines to disk. Errors: they cannot be written.
  void save();

  /// The sizes of the logs, the time and the number of tokens.
  NamedArrays state() const;
  /// Restores a state() and truncates the logs to its sizes. Errors: as MetricsLog.
  void load_state(const NamedArrays& state);

 private:
  void open(std::int64_t metrics_bytes, std::int64_t speed_bytes,
            std::optional<std::int64_t> event_bytes);
  void write_metrics(std::int64_t step, const std::vector<MetricsField>& fields);

  std::string folder_;
  bool wants_events_ = false;
  std::optional<MetricsLog> metrics_, speed_;
  std::optional<EventLog> events_;
  Stopwatch watch_;
  std::int64_t tokens_ = 0;
};

}  // namespace attune
