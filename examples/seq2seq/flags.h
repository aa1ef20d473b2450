#pragma once

#include <stdexcept>
#include <variant>

#include "commands.h"

namespace seq2seq {

/// The options of the chosen subcommand; std::monostate if the command line was --help, whose text
/// has then been printed.
using Command =
    std::variant<std::monostate, attune::TrainOptions, TestCommand, ScoreCommand, TranslateCommand,
                 AlignCommand, AlignWordsCommand, ExplainCommand, ReportCommand, AttentionsCommand>;

/// Thrown for an invalid command line.
class WrongUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses the command line. Errors: WrongUse. (CLI11 takes long to compile, so only flags.cpp
/// and align_words_flags.cpp include it.)
Command parse_command_line(int argc, char** argv);

}  // namespace seq2seq
