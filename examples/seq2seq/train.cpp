#include "attune/data/files.h"
#include "attune/data/messages.h"
#include "attune/train/attention_table.h"
#include "attune/train/training.h"
#include "commands.h"

namespace seq2seq {

namespace {

// Returns the report's path, or "" after a warning: the training itself is saved.
std::string write_report(const std::string& folder) {
  const std::string path = report_file(folder);
  try {
    attune::write_file_atomically(path, attune::report_html({.runs = {folder}}));
    return path;
  } catch (const attune::Error& error) {
    attune::warn("no report is written: {}", error.what());
    return "";
  }
}

}  // namespace

int run(const attune::TrainOptions& options) {
  const std::string folder = attune::shown(options.run);
  const attune::TrainingEnd end = attune::train(options);
  const std::string report = end.was_finished ? "" : write_report(end.folder);
  if (end.signal != 0) return 128 + end.signal;
  if (end.was_finished)
    fmt::print("The training in {} is finished; there is nothing to resume\n", folder);
  else
    fmt::print("{}\nThe run is in {}\n", end.heat_map, folder);
  if (!report.empty()) fmt::print("The report is {}\n", attune::shown(report));
  return 0;
}

int run(const AttentionsCommand& command) {
  fmt::print("{}", command.json ? attune::attention_json() : attune::attention_table());
  return 0;
}

}  // namespace seq2seq
