#pragma once

#include "options.h"

/// The subcommands. Each returns the program's exit code, and throws attune::Error.
namespace seq2seq {

int train(const TrainOptions& options);
int test(const TestOptions& options);
int translate(const TranslateOptions& options);

}  // namespace seq2seq
