#include "attune/data/files.h"
#include "attune/data/messages.h"
#include "commands.h"

namespace seq2seq {

using namespace attune;

int run(const ExplainCommand& command) {
  check_output("--html", command.html);
  const Explanation explanation = explain(command.options, command.source);
  if (command.html.empty())
    fmt::print("{}", shown(to_text(explanation)));
  else
    write_file_atomically(command.html, explanation_html(explanation));
  return 0;
}

}  // namespace seq2seq
