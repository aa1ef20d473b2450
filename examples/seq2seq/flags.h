#pragma once

#include <stdexcept>
#include <variant>

#include "commands.h"

namespace seq2seq {

/// The subcommand that the command line names; none after --help, which has been answered.
using Command = std::variant<std::monostate, attune::TrainOptions, TestCommand, TranslateCommand>;

/// The command line makes no sense.
class WrongUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the command line. Errors: WrongUse. (CLI11 takes long to compile, so only the source
/// behind this includes it.)
Command parse_command_line(int argc, char** argv);

}  // namespace seq2seq
