#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/train/file_lock.h"
#include "attune/train/run.h"

namespace attune {

/// The folder that a training writes to, locked against other trainings. If the folder already has
/// a run, that run remains usable until the training is finished: the training writes to the
/// subfolder "unfinished", which is a run folder itself, and at the end its files replace the older
/// ones atomically.
class TrainingFolder {
 public:
  /// For a new training in the run folder `run`, which is created if it does not exist. If the
  /// subfolder "unfinished" has a training already, that one is abandoned, with a message on
  /// standard error.
  /// Errors: `run` is not a folder, or has other content; it cannot be written; another training
  /// writes to it.
  static std::unique_ptr<TrainingFolder> for_new(const std::string& run);
  /// For resuming the training in the run folder `run`. Errors: the folder does not exist or cannot
  /// be written; another training writes to it.
  static std::unique_ptr<TrainingFolder> for_resuming(const std::string& run);
  /// Removes what was created for a new training, unless keep() was called.
  ~TrainingFolder();
  TrainingFolder(const TrainingFolder&) = delete;
  TrainingFolder& operator=(const TrainingFolder&) = delete;

  /// The folder to write to.
  const std::string& path() const { return path_; }
  /// Whether the folder still has an older run, which testing and translating use.
  bool is_beside_older() const { return path_ != run_; }
  /// Makes the destructor keep what was created. To be called when the first checkpoint has been
  /// written.
  void keep();

  /// The checkpoints in path(), the newest first.
  std::vector<std::string> checkpoints() const;
  std::string checkpoint(std::int64_t step) const;
  /// Removes all checkpoints except the newest `kept`.
  void remove_checkpoints(std::int64_t kept) const;

  /// To be called before each write: creates the folder and the lock again if they were removed.
  /// Errors: another training has locked the folder meanwhile; it cannot be created.
  void make_sure();
  /// Replaces the older run, if there is one, by the finished training.
  void replace_older();

 private:
  explicit TrainingFolder(std::string run) : run_(std::move(run)), path_(run_) {}
  void lock();
  void begin();

  std::string run_, path_;
  std::vector<std::string> made_;  // folders that were created, the innermost first
  std::optional<FileLock> lock_;
  bool begun_ = false;  // path_ has the files of a new training without a checkpoint
};

/// The step of a file whose name is `begin`, the step and `end`; not set if it is another one.
std::optional<std::int64_t> step_of_file(std::string_view name, std::string_view begin,
                                         std::string_view end);

/// Whether `folder` has all files that testing and translating need.
bool is_whole_run(const std::string& folder);

/// The path of the file `name` of the run in `folder`. It may be in a subfolder, if a training was
/// killed while replacing an older run.
std::string run_file(const std::string& folder, const std::string& name);

}  // namespace attune
