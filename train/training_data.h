#pragma once

#include <string>
#include <vector>

#include "attune/data/all.h"
#include "attune/train/train_options.h"

namespace attune {

/// What a training learns from, before any batch is made of it.
struct TrainingData {
  Vocabulary source, target;
  BatchStream batches;
  int max_source_length;      ///< tokens of the longest source
  int max_target_length;      ///< tokens of the longest target
  std::string sample;         ///< a source to show the alignment of
  std::string left_out = {};  ///< what was left out or cut, in words; empty: nothing
};

/// The task's endless supply of examples, or the pairs of options.data.file. What is left out of
/// those, or cut, is named and counted on standard error. Errors: a malformed line,
/// with its number, unless such lines are to be skipped; no pairs are left.
TrainingData load_training_data(const TrainOptions& options);

}  // namespace attune
