#pragma once

#include "options.h"

/// The subcommands. Each returns the program's exit code, and throws attune::Error.
namespace seq2seq {

/// The exit code of a command that went through although some lines could not be used.
constexpr int kSomeLinesFailed = 3;

int train(const TrainOptions& options);
int test(const TestOptions& options);
int translate(const TranslateOptions& options);

}  // namespace seq2seq
