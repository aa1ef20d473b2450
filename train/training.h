#pragma once

#include <string>

#include "attune/train/train_options.h"

namespace attune {

/// How a training ended.
struct TrainingEnd {
  int signal = 0;             ///< the signal that interrupted it; 0: it is finished
  bool was_finished = false;  ///< it was finished before it was resumed, so nothing was done
  std::string folder = {};    ///< the run folder, or a folder in it beside an older run
  std::string heat_map = {};  ///< the attention for one source, for standard output; empty without
                              ///< attention
};

/// Trains a model on options.data, and saves it in the run folder options.run:
///
///     attune::train({.run = "runs/words", .data = {.file = "train.tsv", .valid = "valid.tsv"}});
///     const attune::Run run = attune::load_run("runs/words");
///
/// Prints a summary and progress to standard error. Writes checkpoints, and saves everything when
/// interrupted by a signal (see StopSignal). With options.resume, the training in the run folder is
/// continued with the options with which it began, except those for folder, threads and
/// checkpoints; the result is bit-identical to that of a training that was never interrupted.
///
/// Errors: as check(), load_training_data(), TrainingFolder, make_model(); there is nothing to
/// resume, or the options contradict the original ones; the loss is NaN or infinite and
/// options.on_nan is not "skip"; all updates were skipped; the last state cannot be saved.
TrainingEnd train(const TrainOptions& options);

}  // namespace attune
