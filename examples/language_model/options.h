#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/search/search.h"
#include "attune/train/train_options.h"

/// The options of each command. fields() lists them for flags and for the run's config.json; those
/// of the model and of the training are the library's own (see attune::TrainOptions).
namespace language_model {

struct TrainCommand {
  std::string data, valid;
  double valid_share = 0.1;
  std::string tokens = "chars";
  std::optional<int> min_count = {};
  int context = 64;
  attune::TrainOptions training = nanogpt();

  int least_count() const { return min_count.value_or(tokens == "words" ? 2 : 1); }

 private:
  /// The defaults: nanoGPT's setting for a CPU.
  static attune::TrainOptions nanogpt();
};

struct TestCommand {
  std::string run, data;
  bool json = false;
  int threads = attune::threads();
};

struct SampleCommand {
  std::string run, prompt;
  int length = 500, count = 1;
  attune::SamplingOptions sampling = {.seed = 1};
  int threads = attune::threads();
};

std::vector<attune::Field> fields(TrainCommand& command);
std::vector<attune::Field> fields(TestCommand& command);
std::vector<attune::Field> fields(SampleCommand& command);

/// Errors: attune::OptionError, a value out of its range, or an option that the model lacks.
void check(TrainCommand command);

/// Each returns the program's exit code, and throws attune::Error.
int run(TrainCommand command);
int run(const TestCommand& command);
int run(const SampleCommand& command);

}  // namespace language_model
