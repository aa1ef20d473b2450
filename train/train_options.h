#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/data/batch_stream.h"
#include "attune/data/pairs.h"
#include "attune/data/text_form.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/optim/make_optimizer.h"
#include "attune/train/fields.h"
#include "attune/train/train_step.h"

namespace attune {

/// The data of a training.
struct DataOptions {
  std::string task = "reverse";
  std::string file = {}, valid = {};  ///< pairs to train on instead of a task, and for validation
  std::string source = {}, target = {};              ///< the same in files side by side
  std::string valid_source = {}, valid_target = {};  ///< likewise
  /// Pairs of `valid` to use, not set: all; or examples of the task to validate on, not set: none.
  std::optional<std::int64_t> valid_count = {};
  std::string reference_alignment = {};  ///< of `valid`; see QuestionSource
  std::string source_tokens = "chars", target_tokens = "chars";
  std::optional<int> vocabulary = {};     ///< pieces of a subword model; see SubwordOptions
  std::string subword_model = "unigram";  ///< or "bpe"
  double subword_dropout = 0;             ///< of both sides in training; see SubwordDropout
  bool joint_vocabulary = false;          ///< one vocabulary for sources and targets
  int min_count = 1;                      ///< see VocabularyOptions
  std::optional<int> max_vocabulary = {};
  double rare_as_unknown = 0;  ///< alpha of RareTokens, for sources; 0: none are replaced
  bool lowercase = false;
  std::string normalization = "none";  ///< a name of a NormalForm
  int min_length = 1;
  std::optional<int> max_length = {};  ///< see limit()
  std::optional<int> max_source_length = {},
                     max_target_length = {};  ///< see source_limit(), target_limit()
  std::string too_long = "skip";              ///< or "truncate": longer pairs
  std::optional<double> max_ratio = {};       ///< of the numbers of tokens of both sides
  bool drop_duplicates = false;               ///< skip pairs that came before
  std::string token_files = {};               ///< a folder for TokenFiles; empty: none
  bool skip_bad = false;                      ///< skip malformed lines

  /// The pairs to train on, and for validation.
  PairFiles pairs() const;
  PairFiles valid_pairs() const;
  /// Whether the pairs are those of a task, not of files.
  bool is_task() const { return file.empty() && source.empty(); }
  /// The maximum number of tokens of a source or a target.
  int limit() const { return max_length.value_or(is_task() ? 20 : 100); }
  int source_limit() const { return max_source_length.value_or(limit()); }
  int target_limit() const { return max_target_length.value_or(limit()); }
  TextForm form() const { return {lowercase, normal_form_named(normalization)}; }
  /// Whether the model is validated during training.
  bool validates() const { return is_task() ? valid_count.has_value() : !valid_pairs().empty(); }
};

/// Options of train(). By default, a model learns to reverse words. fields() describes each option
/// and its valid values.
struct TrainOptions {
  std::string run = {};  ///< the run folder
  DataOptions data = {};
  EncoderDecoderOptions model = {};  ///< except the vocabularies, which come from the data

  int batch = 64;                        ///< examples
  std::optional<int> batch_tokens = {};  ///< instead of batch; see BatchSize::of_tokens()
  int accumulate = 1;                    ///< batches of an update
  std::int64_t steps = 1000;
  std::optional<std::int64_t> epochs = {};          ///< instead of steps
  std::optional<std::int64_t> validate_every = {};  ///< steps; not set: a twentieth of all
  std::string best = "token_error_rate";      ///< a metric of texts, or of validation_measures()
  std::optional<std::int64_t> patience = {};  ///< see BestScore::without_progress()
  std::optional<std::int64_t> average = {};   ///< see make_last_average()
  std::optional<double> ema = {};             ///< see make_exponential_average()
  std::string optimizer = "adam", schedule = "cosine";
  OptimizerOptions optimizer_options = {};  ///< see learning_rate()
  std::optional<std::int64_t> warmup = {};  ///< see warmup_steps()
  StepOptions step = {};
  std::int64_t coverage_loss_from = 1;  ///< the first step with step.coverage_loss
  std::string on_nan = "stop";          ///< or "skip"
  std::uint64_t seed = 1;

  // Options that do not affect the result.
  int threads = attune::threads();
  bool resume = false;                          ///< resume the training in the run folder
  std::optional<std::int64_t> save_every = {};  ///< steps between checkpoints; not set: by time
  std::optional<std::int64_t> keep = {};        ///< checkpoints; see kept_checkpoints()
  std::int64_t record = 4;                      ///< pairs; see TrainingRecorder
  bool live = false;                            ///< show loss and alignment on the terminal
  bool tensorboard = false;                     ///< write events for TensorBoard; see TrainingLogs

  /// Names of options that count as chosen even if they have their default values: it is an error
  /// if they do not apply, or if a resumed training began with other values.
  std::vector<std::string> given = {};

  /// The number of checkpoints to keep during training; afterwards none are kept unless `keep` is
  /// set.
  std::int64_t kept_checkpoints() const { return keep.value_or(1); }
  BatchSize batch_size() const {
    return batch_tokens ? BatchSize::of_tokens(*batch_tokens) : BatchSize(batch);
  }
  double learning_rate() const { return optimizer_options.learning_rate.value_or(0.002); }
  std::int64_t warmup_steps() const {
    return warmup.value_or(model.is_transformer() ? steps / 10 : 0);
  }
};

/// The options of a training, in the order of the help.
std::vector<Field> fields(TrainOptions& options);
/// The options of a model, without the vocabularies.
std::vector<Field> fields(EncoderDecoderOptions& options);
/// Whether an option of models applies to this one; see Field::not_for.
bool applies(const Field& field, const EncoderDecoderOptions& model);

/// Checks options; train() calls it. If `resume` is set, only the values are checked, not their
/// combinations. Errors: OptionError, a value out of range, or options that cannot be combined.
void check(const TrainOptions& options);

/// The same options, with values set for those whose defaults depend on other options.
TrainOptions with_defaults(TrainOptions options);
EncoderDecoderOptions with_defaults(EncoderDecoderOptions options);

/// The options that were chosen and affect the result, as "--name=value"; a training with these
/// gives the same result.
std::vector<std::string> chosen_options(const TrainOptions& options);

/// The options for resuming, with the options `given` now, a training that began with `chosen`,
/// from chosen_options(). Folder, threads and checkpoints are those of `given`. Errors: an option
/// in `given` contradicts `chosen`.
TrainOptions options_for_resuming(const TrainOptions& given,
                                  const std::vector<std::string>& chosen);

}  // namespace attune
