#pragma once

#include <cstdint>
#include <string>

#include "attune/optim/optimizer.h"
#include "attune/train/run.h"
#include "attune/train/training_data.h"

namespace attune {

/// A summary of a training before its first step, in a few lines for standard error: the model and
/// its parameters, the data, the updates after `step`, and the expected peak memory.
///
/// The memory is estimated by computing the gradients of some batches, scaling the memory used to
/// the largest of the next batches, and adding that of later copies of the parameters. The model
/// and the random generator are not changed.
std::string summary_of(const TrainOptions& options, const Run& run, const TrainingData& data,
                       std::int64_t step);

}  // namespace attune
