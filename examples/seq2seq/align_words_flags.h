#pragma once

#include "commands.h"

namespace CLI {
class App;
}

namespace seq2seq {

/// Adds the subcommand align-words, whose flags set the members of `command`.
void add_align_words(CLI::App& app, AlignWordsCommand& command);

}  // namespace seq2seq
