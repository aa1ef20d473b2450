#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/optim/make_optimizer.h"
#include "attune/train/fields.h"
#include "attune/train/train_step.h"

namespace attune {

/// What a training learns from.
struct DataOptions {
  std::string task = "reverse";
  std::string file = {}, valid = {};  ///< pairs instead of a task, those to measure on; empty: none
  std::optional<std::int64_t> valid_count = {};  ///< none: all of `valid`
  std::string source_tokens = "chars", target_tokens = "chars";
  int min_length = 1;
  std::optional<int> max_length = {};  ///< see limit()
  std::optional<int> max_source_length = {},
                     max_target_length = {};  ///< see source_limit(), target_limit()
  std::string too_long = "skip";              ///< what becomes of longer ones
  bool skip_bad = false;                      ///< malformed lines are left out

  /// The most tokens that a source or a target may have.
  int limit() const { return max_length.value_or(file.empty() ? 20 : 100); }
  int source_limit() const { return max_source_length.value_or(limit()); }
  int target_limit() const { return max_target_length.value_or(limit()); }
};

/// What decides on a training of a sequence-to-sequence model, and a little that does not. The
/// defaults learn to reverse words. What each option means and may be is in fields().
struct TrainOptions {
  std::string run = {};  ///< the run folder
  DataOptions data = {};
  EncoderDecoderOptions model = {};  ///< but for the vocabularies, which the data have

  int batch = 64;
  std::int64_t steps = 1000;
  std::optional<std::int64_t> epochs = {};    ///< of the data, instead of steps
  std::optional<std::int64_t> patience = {};  ///< see BestScore::without_progress()
  std::string optimizer = "adam", schedule = "cosine";
  OptimizerOptions optimizer_options = {};  ///< see learning_rate()
  std::optional<std::int64_t> warmup = {};  ///< see warmup_steps()
  StepOptions step = {};
  std::string on_nan = "stop";  ///< or "skip"
  std::uint64_t seed = 1;

  // What has no influence on the result.
  int threads = attune::threads();
  bool resume = false;                          ///< go on with the training in the run folder
  std::optional<std::int64_t> save_every = {};  ///< steps; by time if not set
  std::optional<std::int64_t> keep = {};        ///< checkpoints; see kept_checkpoints()

  /// Names of options that count as chosen although they have their defaults: an error where they
  /// make no sense, or where the training that is resumed was begun with other values.
  std::vector<std::string> given = {};

  /// The checkpoints to keep while it trains; unless `keep` is set none are kept afterwards.
  std::int64_t kept_checkpoints() const { return keep.value_or(1); }
  double learning_rate() const { return optimizer_options.learning_rate.value_or(0.002); }
  std::int64_t warmup_steps() const {
    return warmup.value_or(model.is_transformer() ? steps / 10 : 0);
  }
};

/// The options of a training, in the order of the help.
std::vector<Field> fields(TrainOptions& options);
/// Those of its model, without the vocabularies.
std::vector<Field> fields(EncoderDecoderOptions& options);

/// Errors: OptionError, a value out of its range, or options that make no sense together. Where
/// `resume` is set, only the values are checked. train() checks its options itself.
void check(const TrainOptions& options);

/// The same options, with values for those whose defaults depend on others.
TrainOptions with_defaults(TrainOptions options);
EncoderDecoderOptions with_defaults(EncoderDecoderOptions options);

/// The options that were chosen and decide on the result, as "--name=value": with them a training
/// is begun alike.
std::vector<std::string> chosen_options(const TrainOptions& options);

/// The options of a training that was begun with `chosen`, as chosen_options() gave them then, and
/// goes on with `given`: where to write, threads and checkpoints follow the latter. Errors: an
/// option in `given` that contradicts `chosen`, since the result would be neither training's.
TrainOptions options_for_resuming(const TrainOptions& given,
                                  const std::vector<std::string>& chosen);

}  // namespace attune
