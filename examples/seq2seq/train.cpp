#include "attune/data/messages.h"
#include "attune/train/attention_table.h"
#include "attune/train/training.h"
#include "commands.h"

namespace seq2seq {

int run(const attune::TrainOptions& options) {
  const std::string folder = attune::shown(options.run);
  const attune::TrainingEnd end = attune::train(options);
  if (end.signal != 0) return 128 + end.signal;
  if (end.was_finished)
    fmt::print("The training in {} is finished; there is nothing to resume\n", folder);
  else
    fmt::print("{}\nThe run is in {}\n", end.heat_map, folder);
  return 0;
}

int run(const AttentionsCommand& command) {
  fmt::print("{}", command.json ? attune::attention_json() : attune::attention_table());
  return 0;
}

}  // namespace seq2seq
