#pragma once

#include <cstdint>
#include <string>

#include "attune/optim/optimizer.h"
#include "attune/train/run.h"
#include "attune/train/training_data.h"

namespace attune {

/// What a training is about to do, before its first step, in a few lines for standard error: the
/// model and its parameters, the data, the updates after `step`, and the memory that is expected to
/// be in use at most.
///
/// For the memory, the gradients of some batches are computed for trial, and what that took is
/// taken times the size of the largest of the next batches; copies of the parameters, which come
/// later, are added. Neither the model nor random numbers change.
std::string summary_of(const TrainOptions& options, const Run& run, const TrainingData& data,
                       std::int64_t step);

}  // namespace attune
