#include <cstdio>

#include "attune/data/files.h"
#include "attune/data/lines.h"
#include "attune/data/messages.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

int run(const TestCommand& command) {
  const bool prints_outputs = command.output == "-";
  const bool writes_outputs = !command.output.empty() && !prints_outputs;
  if (writes_outputs) check_output("--output", command.output);
  const Evaluation result = evaluate(command.options);

  if (prints_outputs) fmt::print("{}", shown(result.outputs));
  fmt::print(prints_outputs ? stderr : stdout, "{}", command.json ? result.json() : result.table());
  if (writes_outputs) write_file_atomically(command.output, result.outputs);
  if (result.skipped == 0) return 0;
  fmt::print(stderr, "seq2seq: error: {} of {} could not be tested on: {}\n",
             lines_text(result.skipped), command.options.pairs().name(), result.skipped_summary);
  return kSomeLinesFailed;
}

}  // namespace seq2seq
