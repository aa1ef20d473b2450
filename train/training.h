#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/train/run_folder.h"
#include "attune/train/train_options.h"

namespace attune {

/// A training that was stopped, killed or cut short, and can go on.
struct UnfinishedTraining {
  std::unique_ptr<TrainingFolder> folder;  ///< locked
  std::string checkpoint;                  ///< the newest
  std::vector<std::string> flags;          ///< TrainOptions::flags when it was begun
};

/// The training to go on with in the run folder `run`; nothing if that is finished. Errors: there
/// is neither; as TrainingFolder::for_resuming().
std::optional<UnfinishedTraining> find_unfinished(const std::string& run);

/// How a training ended.
struct TrainingEnd {
  int signal = 0;             ///< the one that stopped it, to go on later; 0: it is finished
  bool was_finished = false;  ///< before: nothing was left to do
  std::string heat_map = {};  ///< where the model looks for one source, for standard output; empty
                              ///< without attention
};

/// Trains a model on options.data, or on the synthetic task options.task, and keeps it with all
/// that goes with it in the run folder options.run:
///
///     attune::train({.run = "runs/words", .data = "train.tsv", .valid = "valid.tsv"});
///     const attune::Run run = attune::load_run("runs/words");
///
/// It tells on standard error what it is about to do and how far it has come, writes checkpoints,
/// and saves everything when a signal asks it to stop (see StopSignal). It goes on with `resumed`,
/// to whose beginning the options must be equal but for the folder, threads and checkpoints; the
/// result has the same bits as if it had never stopped.
///
/// Errors: as load_training_data(), TrainingFolder, make_model(); a loss of NaN or infinity, where
/// options.on_nan does not skip such updates; nothing was learnt; the last state cannot be saved.
TrainingEnd train(const TrainOptions& options, std::optional<UnfinishedTraining> resumed = {});

}  // namespace attune
