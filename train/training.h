#pragma once

#include <string>

#include "attune/train/train_options.h"

namespace attune {

/// How a training ended.
struct TrainingEnd {
  int signal = 0;             ///< the one that stopped it, to go on later; 0: it is finished
  bool was_finished = false;  ///< before it was resumed: nothing was left to do
  std::string heat_map = {};  ///< where the model looks for one source, for standard output; empty
                              ///< without attention
};

/// Trains a model on options.data, and keeps it with all that goes with it in the run folder
/// options.run:
///
///     attune::train({.run = "runs/words", .data = {.file = "train.tsv", .valid = "valid.tsv"}});
///     const attune::Run run = attune::load_run("runs/words");
///
/// Standard error says what it is about to do and how far it is. It writes checkpoints, and saves
/// everything when a signal stops it (see StopSignal). With options.resume it goes on with the
/// training in the run folder, with the options that that was begun with, but for folder, threads
/// and checkpoints; the result has the same bits as if it had never stopped.
///
/// Errors: as check(), load_training_data(), TrainingFolder, make_model(); there is nothing to
/// resume, or options contradict those of its beginning; a loss of NaN or infinity, where
/// options.on_nan does not skip such updates; nothing was learnt; the last state cannot be saved.
TrainingEnd train(const TrainOptions& options);

}  // namespace attune
