#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "attune/train/file_lock.h"
#include "attune/train/run.h"

namespace attune {

/// Where a training writes, from its first step to its end, with a lock that keeps other trainings
/// out. A run that is in the folder already stays there, whole, until the new one is: the training
/// writes to the folder "unfinished" within, which is a run folder itself, and at the end its files
/// take the place of the old ones as one.
class TrainingFolder {
 public:
  /// For a new training in the run folder `run`, which is made if there is none. An unfinished
  /// training beside an older run is given up, which standard error tells. Errors: it is no folder,
  /// or one with anything else in it; it cannot be written; another training writes to it.
  static std::unique_ptr<TrainingFolder> for_new(const std::string& run);
  /// For going on with the training of the run folder `run`. Errors: there is no folder; it cannot
  /// be written; another training writes to it.
  static std::unique_ptr<TrainingFolder> for_resuming(const std::string& run);
  /// What was made for a new training is removed again, unless keep() was called.
  ~TrainingFolder();
  TrainingFolder(const TrainingFolder&) = delete;
  TrainingFolder& operator=(const TrainingFolder&) = delete;

  /// The folder to write to.
  const std::string& path() const { return path_; }
  /// True if an older run is there still, for which test and translate are answered.
  bool is_beside_older() const { return path_ != run_; }
  /// What was made is to stay, since the first checkpoint is written.
  void keep();

  /// The checkpoints in path(), the newest first.
  std::vector<std::string> checkpoints() const;
  std::string checkpoint(std::int64_t step) const;
  /// Removes all checkpoints but the newest `kept`.
  void remove_checkpoints(std::int64_t kept) const;

  /// Before each write: makes the folder and the lock anew if somebody has removed them. Errors:
  /// another training has it meanwhile; the system's.
  void make_sure();
  /// Puts a training that is at its end in the place of the older run, if there is one.
  void replace_older();

 private:
  explicit TrainingFolder(std::string run) : run_(std::move(run)), path_(run_) {}
  void lock();
  void begin();

  std::string run_, path_;
  std::vector<std::string> made_;  // folders that were not there before, the innermost first
  std::optional<FileLock> lock_;
  bool begun_ = false;  // the files in path_ are of a training that has not done a step
};

/// True if `folder` holds all that test and translate need.
bool is_whole_run(const std::string& folder);

/// Where the file `name` of the run in `folder` is: an end of a training that was killed while it
/// took the place of an older run has left some in a folder within.
std::string run_file(const std::string& folder, const std::string& name);

}  // namespace attune
