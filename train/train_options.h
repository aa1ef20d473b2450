#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/train/train_step.h"

namespace attune {

/// What decides on a training of a sequence-to-sequence model; each member is a flag of `seq2seq
/// train`. The defaults learn to reverse words.
struct TrainOptions {
  std::string run = {};  // folder

  std::string task = "reverse";
  std::string data = {}, valid = {};  // files of pairs instead of a task; empty: none
  std::string source_tokens = "chars", target_tokens = "chars";
  int min_length = 1;
  std::optional<int> max_length = {};  // see limit()
  std::optional<int> max_source_length = {},
                     max_target_length = {};     // see source_limit(), target_limit()
  std::string too_long = "skip";                 // what becomes of longer ones
  bool skip_bad = false;                         // malformed lines are left out
  std::optional<std::int64_t> valid_count = {};  // none: all of `valid`

  std::string model = "recurrent";
  std::optional<int> layers = {}, embedding = {};  // see layer_count(), embedding_size()
  double dropout = 0;
  // Of a recurrent model.
  std::string cell = "gru", attention = "additive", normalizer = "softmax";
  bool bidirectional = true, embedding_residual = true;
  int hidden = 64;
  std::optional<int> heads = {};         // see head_count()
  std::optional<int> feed_forward = {};  // see feed_forward_size()

  int batch = 64;
  std::int64_t steps = 1000;
  std::string optimizer = "adam", schedule = "cosine";
  double learning_rate = 0.002;
  std::optional<std::int64_t> warmup = {};  // see warmup_steps()
  StepOptions step = {};
  std::optional<std::int64_t> epochs = {};  // of data, instead of steps
  std::optional<std::int64_t> patience =
      {};                       // of early stopping; see BestScore::without_progress()
  std::string on_nan = "stop";  // or "skip"
  std::uint64_t seed = 1;

  // What has no influence on the result.
  int threads = attune::threads();
  bool resume = false;
  std::optional<std::int64_t> save_every = {};  // steps; by time if not set
  std::optional<std::int64_t> keep = {};        // checkpoints; see kept_checkpoints()
  /// The flags that were given and decide on the result, as "--name=value": with them a training is
  /// begun alike.
  std::vector<std::string> flags = {};

  bool operator==(const TrainOptions&) const = default;

  /// The checkpoints to keep while it trains; without --keep none are kept afterwards.
  std::int64_t kept_checkpoints() const { return keep.value_or(1); }

  /// The most tokens that a source or a target may have.
  int limit() const { return max_length.value_or(data.empty() ? 20 : 100); }
  int source_limit() const { return max_source_length.value_or(limit()); }
  int target_limit() const { return max_target_length.value_or(limit()); }

  // Where nothing was chosen it depends on the model.
  bool is_transformer() const { return model == "transformer"; }
  int layer_count() const { return layers.value_or(is_transformer() ? 2 : 1); }
  int embedding_size() const { return embedding.value_or(is_transformer() ? 128 : 32); }
  int head_count() const { return heads.value_or(is_transformer() ? 4 : 1); }
  int feed_forward_size() const { return feed_forward.value_or(4 * embedding_size()); }
  std::int64_t warmup_steps() const { return warmup.value_or(is_transformer() ? steps / 10 : 0); }
};

}  // namespace attune
