#pragma once

#include <optional>
#include <string>

#include "attune/data/all.h"
#include "attune/train/train_options.h"

namespace attune {

/// The data of a training.
struct TrainingData {
  Vocabulary source, target;
  BatchStream batches;
  int max_source_length;                        ///< tokens of the longest source
  int max_target_length;                        ///< tokens of the longest target
  std::string sample;                           ///< a source whose alignment is shown
  std::optional<RareTokens> rare_sources = {};  ///< read as <unk> at random; not set: none are
  std::string left_out = {};  ///< a description of what was left out or cut; empty: nothing
  std::string origin = {};    ///< which token files they are from or in; empty: none
};

/// The task's endless supply of examples, or the pairs of files: those of read_corpus(), or the
/// same from TokenFiles. Errors: as read_corpus() and token_key().
TrainingData load_training_data(const TrainOptions& options);

}  // namespace attune
