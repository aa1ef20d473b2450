#include <array>
#include <filesystem>
#include <system_error>

#include "attune/train.h"
#include "run.h"
#include "run_config.h"

namespace seq2seq {
namespace {

namespace fs = std::filesystem;

// All that a training writes. What is complete without the others comes last, so that a folder in
// which something is missing shows it.
constexpr std::array kFiles = {"model.safetensors", "alignment.svg", "metrics.jsonl", "speed.jsonl",
                               "source.vocab",      "target.vocab",  "config.json"};
constexpr const char* kNew = ".new";  // where a run is made before it takes the old one's place

// Makes a folder and its parents, and takes away those that it made unless it is told to keep them.
class NewFolder {
 public:
  explicit NewFolder(const fs::path& path) {
    for (fs::path at = path; !at.empty() && !fs::exists(at); at = at.parent_path()) topmost_ = at;
    fs::create_directories(path);
  }
  ~NewFolder() {
    std::error_code ignored;
    if (!topmost_.empty()) fs::remove_all(topmost_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  void keep() { topmost_.clear(); }

 private:
  fs::path topmost_;
};

void check_replaceable(const fs::path& folder) {
  if (!fs::exists(folder)) return;
  ATTUNE_CHECK(fs::is_directory(folder), "--run: '{}' is a file; expected a folder",
               folder.string());
  if (is_config((folder / "config.json").string())) return;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder))
    ATTUNE_CHECK(entry.path().filename() == kNew,
                 "--run: '{}' is no run folder and not empty ('{}' is in it); name another",
                 folder.string(), entry.path().filename().string());
}

void write_new_run(const Run& run, const TrainOptions& options) {
  const fs::path folder = run.folder;
  check_replaceable(folder);
  NewFolder made(folder);
  fs::remove_all(folder / kNew);  // of a training that was killed
  NewFolder staged(folder / kNew);

  Run trial = run;
  trial.folder = (folder / kNew).string();
  attune::write_file_atomically(trial.file("config.json"), config_json(run.config, options));
  run.source.save(trial.file("source.vocab"));
  run.target.save(trial.file("target.vocab"));
  save_model(trial);  // now, rather than after an hour, is the time to find the disk full

  for (const char* name : kFiles) fs::remove(folder / name);
  for (const char* name : {"source.vocab", "target.vocab", "config.json"})
    fs::rename(folder / kNew / name, folder / name);
  made.keep();
}

}  // namespace

void create_run_folder(const Run& run, const TrainOptions& options) {
  try {
    write_new_run(run, options);
  } catch (const fs::filesystem_error& error) {
    attune::fail("--run: cannot write '{}': {}", run.folder, error.code().message());
  }
}

}  // namespace seq2seq
