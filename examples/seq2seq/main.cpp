#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "attune/autograd/array/error.h"
#include "attune/autograd/array/threads.h"
#include "commands.h"
#include "flags.h"

namespace {

constexpr int kFailed = 1, kWrongUse = 2;  // exit codes

int report(std::string message, int code) {
  while (!message.empty() && message.back() == '\n') message.pop_back();
  std::replace(message.begin(), message.end(), '\n', ' ');
  fmt::print(stderr, "seq2seq: error: {}\n", message);
  return code;
}

int run(int argc, char** argv) {
  CLI::App app(
      "Learns to turn one sequence into another with attention, and shows where it looked.",
      "seq2seq");
  app.require_subcommand(1);
  // A script can pass on its user's flags after its own.
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.footer("\nEach command explains its flags: seq2seq train --help");
  seq2seq::TrainOptions train;
  seq2seq::TestOptions test;
  seq2seq::TranslateOptions translate;
  seq2seq::add_train(app, train);
  seq2seq::add_test(app, test);
  seq2seq::add_translate(app, translate);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    return report(fmt::format("{}; see seq2seq --help", error.what()), kWrongUse);
  }
  if (app.got_subcommand("train")) return seq2seq::train(train);
  if (app.got_subcommand("test")) return seq2seq::test(test);
  return seq2seq::translate(translate);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const int code = run(argc, argv);
    // What was printed may wait in a buffer: a full disk is noticed only now.
    ATTUNE_CHECK(std::fflush(stdout) == 0, "cannot write to standard output");
    return code;
  } catch (const std::bad_alloc&) {
    return report("out of memory; try a smaller --batch, --hidden or --max-length", kFailed);
  } catch (const std::exception& error) {
    return report(error.what(), kFailed);
  }
}
