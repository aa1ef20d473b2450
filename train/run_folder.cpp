#include "attune/train/run_folder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "attune/data/messages.h"
#include "attune/train/attention_recording.h"
#include "attune/train/run_config.h"
#include "attune/train/training_logs.h"

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr std::array kNeeded = {"config.json", "source.vocab", "target.vocab", "model.safetensors"};
constexpr std::array kLogs = {"metrics.jsonl", "speed.jsonl"};
// Files that not every run has.
constexpr std::array kOptional = {TrainingLogs::kEventFile, "alignment.svg", "report.html",
                                  "comparison.html"};
constexpr const char* kLock = ".lock";
// Subfolders of a run folder that has an older run: the training in progress, and a finished
// training that is replacing the older run. From the moment when the first is renamed to the
// second, the new run is the one that the folder holds.
constexpr const char* kUnfinished = "unfinished";
constexpr const char* kReplacing = ".replacing";
// An abandoned unfinished training, kept until the new one has its first checkpoint.
constexpr const char* kGivenUp = ".given-up";

// checkpoint-STEP.safetensors
constexpr std::string_view kCheckpoint = "checkpoint-", kCheckpointEnd = ".safetensors";

std::optional<std::int64_t> step_of_checkpoint(std::string_view name) {
  return step_of_file(name, kCheckpoint, kCheckpointEnd);
}

bool is_ours(const std::string& name) {
  const auto is_name = [&](const char* other) { return name == other; };
  return std::any_of(kNeeded.begin(), kNeeded.end(), is_name) ||
         std::any_of(kLogs.begin(), kLogs.end(), is_name) ||
         std::any_of(kOptional.begin(), kOptional.end(), is_name) || step_of_checkpoint(name) ||
         step_of_recording(name) || is_temporary_file(name) || name == kLock ||
         name == kUnfinished || name == kReplacing || name == kGivenUp;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  if (!fs::is_directory(folder)) return names;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  return names;
}

// Steps and paths, the newest first.
std::vector<std::pair<std::int64_t, std::string>> checkpoints_in(const fs::path& folder) {
  std::vector<std::pair<std::int64_t, std::string>> found;
  for (const std::string& name : names_in(folder))
    if (const auto step = step_of_checkpoint(name))
      found.emplace_back(*step, (folder / name).string());
  std::sort(found.rbegin(), found.rend());
  return found;
}

// The first file that was not written by a training; "" if there is none.
std::string foreign_file(const fs::path& folder) {
  for (const std::string& name : names_in(folder))
    if (!is_ours(name)) return name;
  return "";
}

// Errors: `folder` is a subfolder of a run folder, which has no lock of its own.
void check_is_no_part(const fs::path& folder) {
  std::error_code ignored;
  fs::path path = fs::weakly_canonical(folder, ignored);
  if (!path.has_filename()) path = path.parent_path();  // after a slash at the end
  if (path.filename() != kUnfinished && path.filename() != kReplacing) return;
  ATTUNE_CHECK(!is_config((path.parent_path() / "config.json").string()),
               "{}: '{}' is a part of the run folder '{}'; name that one", option_name("run"),
               folder.string(), path.parent_path().string());
}

void check_replaceable(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  ATTUNE_CHECK(fs::is_directory(folder), "{}: '{}' is a file; expected a folder",
               option_name("run"), folder.string());
  if (is_config(run_file(folder.string(), "config.json"))) return;
  const std::string foreign = foreign_file(folder);
  ATTUNE_CHECK(foreign.empty(),
               "{}: '{}' is not a run folder and not empty ('{}' is in it); name another",
               option_name("run"), folder.string(), foreign);
}

// Removes the files that a training wrote, and no others.
void remove_files_of_training(const fs::path& folder) {
  for (const std::string& name : names_in(folder))
    if (is_ours(name) && name != kLock && !fs::is_directory(folder / name))
      fs::remove(folder / name);
}

// Completes a replace_older() that was interrupted, if any.
void finish_replacing(const fs::path& folder) {
  const fs::path from = folder / kReplacing;
  if (!fs::is_directory(from)) return;
  for (const std::string& name : names_in(from)) fs::rename(from / name, folder / name);
  sync_folder(folder.string());
  fs::remove(from);
}

// The folders that must be created for `path`, the innermost first.
std::vector<std::string> missing_folders(const fs::path& path) {
  std::vector<std::string> missing;
  for (fs::path at = path; !at.empty() && !fs::exists(at); at = at.parent_path())
    if (at.has_filename()) missing.push_back(at.string());  // not for the empty name after a slash
  return missing;
}

[[noreturn]] void cannot_write(const std::string& folder, const fs::filesystem_error& error) {
  fail("{}: cannot write '{}': {}", option_name("run"), folder, error.code().message());
}

}  // namespace

std::optional<std::int64_t> step_of_file(std::string_view name, std::string_view begin,
                                         std::string_view end) {
  if (!name.starts_with(begin) || !name.ends_with(end)) return {};
  name.remove_prefix(begin.size());
  name.remove_suffix(std::min(end.size(), name.size()));
  std::int64_t step = -1;
  const auto [last, error] = std::from_chars(name.data(), name.data() + name.size(), step);
  const bool whole = error == std::errc() && last == name.data() + name.size() && step >= 0;
  return whole ? std::optional(step) : std::nullopt;
}

bool is_whole_run(const std::string& folder) {
  return std::all_of(kNeeded.begin(), kNeeded.end(),
                     [&](const char* name) { return fs::exists(run_file(folder, name)); });
}

std::string run_file(const std::string& folder, const std::string& name) {
  const fs::path replacing = fs::path(folder) / kReplacing / name;
  return fs::exists(replacing) ? replacing.string() : folder + "/" + name;
}

void TrainingFolder::lock() {
  const fs::path run = run_;
  lock_ = FileLock((run / kLock).string());
  if (!lock_->held())
    fail("{}: another training{} writes to '{}'; wait for it, or name another folder",
         option_name("run"),
         lock_->holder().empty() ? "" : fmt::format(" (process {})", lock_->holder()), run_);
  // Clean up what killed processes have left.
  finish_replacing(run);
  if (fs::exists(run / kGivenUp)) {
    if (checkpoints_in(run / kUnfinished).empty()) {
      fs::remove_all(run / kUnfinished);
      fs::rename(run / kGivenUp, run / kUnfinished);
    } else {
      fs::remove_all(run / kGivenUp);
    }
  }
  remove_temporary_files(run_);
  remove_temporary_files((run / kUnfinished).string());
}

std::unique_ptr<TrainingFolder> TrainingFolder::for_new(const std::string& run) {
  try {
    check_is_no_part(run);
    check_replaceable(run);
    std::unique_ptr<TrainingFolder> folder(new TrainingFolder(run));
    folder->made_ = missing_folders(run);
    fs::create_directories(run);
    folder->lock();
    folder->begin();
    return folder;
  } catch (const fs::filesystem_error& error) {
    cannot_write(run, error);
  }
}

void TrainingFolder::begin() {
  const fs::path unfinished = fs::path(run_) / kUnfinished;
  const std::string foreign = foreign_file(unfinished);
  ATTUNE_CHECK(foreign.empty(),
               "{}: '{}' is needed for the new training, but '{}' is in it; move it away",
               option_name("run"), unfinished.string(), foreign);
  const auto given_up = checkpoints_in(unfinished);
  if (!given_up.empty())
    tell(
        "{}: the training in '{}', {} steps so far, is abandoned for a new one; to continue it "
        "instead, use {}\n",
        program_name(), unfinished.string(), given_up.front().first, option_name("resume"));
  if (fs::exists(unfinished)) fs::rename(unfinished, fs::path(run_) / kGivenUp);
  const auto found = checkpoints_in(run_);
  begun_ = true;
  if (is_whole_run(run_) || (!found.empty() && found.front().first > 0)) {
    path_ = unfinished.string();
    fs::create_directory(unfinished);
  } else {
    remove_files_of_training(run_);
  }
}

void TrainingFolder::keep() {
  std::error_code ignored;
  fs::remove_all(fs::path(run_) / kGivenUp, ignored);
  made_.clear();
  begun_ = false;
}

std::unique_ptr<TrainingFolder> TrainingFolder::for_resuming(const std::string& run) {
  ATTUNE_CHECK(fs::is_directory(run),
               "{0}: there is no run folder '{1}'; leave {0} out to begin a training",
               option_name("resume"), run);
  check_is_no_part(run);
  try {
    std::unique_ptr<TrainingFolder> folder(new TrainingFolder(run));
    folder->lock();
    const std::string unfinished = (fs::path(run) / kUnfinished).string();
    if (!checkpoints_in(unfinished).empty()) folder->path_ = unfinished;
    return folder;
  } catch (const fs::filesystem_error& error) {
    cannot_write(run, error);
  }
}

TrainingFolder::~TrainingFolder() {
  std::error_code ignored;
  if (begun_) {
    try {
      remove_files_of_training(path_);
    } catch (const fs::filesystem_error&) {  // the folder can no longer be read
    }
    if (is_beside_older()) fs::remove(path_, ignored);
    const fs::path given_up = fs::path(run_) / kGivenUp;
    if (fs::exists(given_up, ignored)) fs::rename(given_up, fs::path(run_) / kUnfinished, ignored);
  }
  lock_.reset();
  // Removes empty folders only: another training may have written to them meanwhile.
  for (const std::string& folder : made_) fs::remove(folder, ignored);
}

std::vector<std::string> TrainingFolder::checkpoints() const {
  std::vector<std::string> paths;
  for (const auto& [step, path] : checkpoints_in(path_)) paths.push_back(path);
  return paths;
}

std::string TrainingFolder::checkpoint(std::int64_t step) const {
  return fmt::format("{}/{}{}{}", path_, kCheckpoint, step, kCheckpointEnd);
}

void TrainingFolder::remove_checkpoints(std::int64_t kept) const {
  const std::vector<std::string> found = checkpoints();
  std::error_code ignored;
  for (std::int64_t i = kept; i < std::ssize(found); ++i)
    fs::remove(found[static_cast<std::size_t>(i)], ignored);
}

void TrainingFolder::make_sure() {
  try {
    fs::create_directories(path_);
    if (lock_->in_place()) return;
    FileLock anew((fs::path(run_) / kLock).string());
    ATTUNE_CHECK(anew.held(), "'{}' was removed, and another training writes to it now", run_);
    lock_ = std::move(anew);
  } catch (const fs::filesystem_error& error) {
    fail("cannot write '{}': {}", path_, error.code().message());
  }
}

void TrainingFolder::replace_older() {
  if (!is_beside_older()) return;
  try {
    // Files that the new run may not have. Without them, the older run is still complete.
    for (const char* name : kOptional) fs::remove(fs::path(run_) / name);
    for (const auto& [step, path] : checkpoints_in(run_)) fs::remove(path);
    for (const std::string& name : names_in(run_))
      if (step_of_recording(name)) fs::remove(fs::path(run_) / name);
    fs::rename(path_, fs::path(run_) / kReplacing);
    sync_folder(run_);
    finish_replacing(run_);
    path_ = run_;
  } catch (const fs::filesystem_error& error) {
    cannot_write(run_, error);
  }
}

}  // namespace attune
