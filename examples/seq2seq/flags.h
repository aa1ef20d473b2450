#pragma once

#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "options.h"

namespace seq2seq {

/// The subcommand that the command line names; none after --help, which has been answered.
using Command = std::variant<std::monostate, TrainOptions, TestOptions, TranslateOptions>;

/// The command line makes no sense.
class WrongUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Reads the command line. Errors: WrongUse. (CLI11 takes long to compile, so only the source
/// behind this includes it.)
Command parse_command_line(int argc, char** argv);

/// Reads the flags of `train` alone, such as those that TrainOptions::flags keeps. Errors:
/// WrongUse.
TrainOptions parse_train_flags(const std::vector<std::string>& flags);

}  // namespace seq2seq
