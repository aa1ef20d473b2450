#include "attune/train/training.h"

#include <optional>
#include <string>
#include <utility>

#include "attune/autograd/array/threads.h"
#include "attune/data/messages.h"
#include "attune/train/run_config.h"
#include "commands.h"
#include "resume.h"

namespace seq2seq {
namespace {

int already_finished(const std::string& run) {
  fmt::print("The training in {} is finished; there is nothing to resume\n", attune::shown(run));
  return 0;
}

int exit_code(const TrainOptions& options, const attune::TrainingEnd& end) {
  if (end.signal != 0) return 128 + end.signal;
  if (end.was_finished) return already_finished(options.run);
  fmt::print("{}\nThe run is in {}\n", end.heat_map, attune::shown(options.run));
  return 0;
}

}  // namespace

int train(const TrainOptions& given) {
  attune::set_threads(given.threads);
  if (!given.resume) return exit_code(given, attune::train(given));

  std::optional<attune::UnfinishedTraining> unfinished = attune::find_unfinished(given.run);
  if (unfinished) {
    const TrainOptions options = options_for_resuming(given, unfinished->flags);
    return exit_code(options, attune::train(options, std::move(unfinished)));
  }
  if (!given.flags.empty())
    options_for_resuming(given, attune::recorded_flags(attune::run_file(given.run, "config.json")));
  return already_finished(given.run);
}

}  // namespace seq2seq
