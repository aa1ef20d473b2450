#pragma once

#include <CLI/CLI.hpp>

#include "options.h"

namespace seq2seq {

/// Adds the subcommand to `app`; parsing then fills in `options`.
void add_train(CLI::App& app, TrainOptions& options);
void add_test(CLI::App& app, TestOptions& options);
void add_translate(CLI::App& app, TranslateOptions& options);

}  // namespace seq2seq
