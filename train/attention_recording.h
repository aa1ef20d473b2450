#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "attune/train/questions.h"

namespace attune {

/// A pair whose attention is recorded during a training.
struct RecordedPair {
  std::vector<std::string> source, target;       ///< tokens; the target ends with `</s>`
  std::optional<ReferenceAlignment> truth = {};  ///< without `</s>`
  bool operator==(const RecordedPair&) const = default;
};

/// A matrix of numbers for each head: attention weights, or a quantity of a mechanism.
struct RecordedArray {
  std::string attention;  ///< its name in the model, such as "decoder.attention"
  std::string name;       ///< "weights", "coverage", "position" or "stopping probability"
  Array values;           ///< [H, T, S], or [H, T] if it is one number for each query

  /// Whether queries and keys are positions of the source or of the target: both of the source in
  /// an encoder, both of the target in the self-attention of a decoder, whose keys are `<s>` and
  /// the target without `</s>`.
  bool has_source_queries() const;
  bool has_source_keys() const;
};

/// What the attentions of a model computed after a step of its training.
struct RecordedStep {
  std::int64_t step = 0;
  std::vector<std::vector<RecordedArray>> pairs;  ///< for each pair, without padding
};

/// The recording of a training.
struct AttentionRecording {
  std::vector<RecordedPair> pairs;
  std::vector<RecordedStep> steps;  ///< ascending
};

/// Reads the recording in a run folder; without steps if there is none. Errors, on one line with
/// the file: it is damaged, or it is not a recording; files are of different trainings.
AttentionRecording load_recording(const std::string& folder);

/// The name of the file with the recording of a step, attention-STEP.safetensors.
std::string recording_file(std::int64_t step);
/// The step of such a name; not set if it is another one.
std::optional<std::int64_t> step_of_recording(std::string_view name);

/// Records what all attentions of a model compute for a few pairs, with the targets given (teacher
/// forcing), at log-spaced steps of its training: 1, 2, 5, 10, 20, 50 and so on, and the last.
///
///     TrainingRecorder recorder(run, questions_to_record(questions, 4));
///     if (recorder.is_due(step)) recorder.record(run, step);
///     recorder.save(run.folder);
///
/// The training is not affected: no generator is advanced, and its results have the same bits.
class TrainingRecorder {
 public:
  TrainingRecorder(const Run& run, std::span<const Question> questions);

  bool is_due(std::int64_t step) const;
  /// Records the model's attention, unless that was done for this step or a weight is NaN.
  void record(const Run& run, std::int64_t step);
  /// Writes what was recorded since the last call, and files that were removed meanwhile. Errors:
  /// as save_safetensors().
  void save(const std::string& folder);

 private:
  std::vector<Example> examples_;
  std::string pairs_;      // as JSON
  std::int64_t last_ = 0;  // the newest step
  std::vector<RecordedStep> steps_;
  std::size_t saved_ = 0;  // the first ones of steps_
};

/// The number of questions among which questions_to_record() chooses.
constexpr std::int64_t kConsideredQuestions = 64;

/// The questions to record: `count` of the first kConsideredQuestions, those with the longest
/// sources of at most 24 tokens.
std::vector<Question> questions_to_record(std::span<const Question> questions, std::int64_t count);

/// The examples of a batch as questions, without their texts.
std::vector<Question> questions_of(const Batch& batch);

}  // namespace attune
