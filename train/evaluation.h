#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/search/metrics.h"
#include "attune/train/fields.h"

namespace attune {

/// What a trained model is tested on.
struct TestOptions {
  std::string run = {};                    ///< the run folder
  std::string data = {};                   ///< pairs; empty: examples of the task it learnt
  std::optional<std::int64_t> count = {};  ///< 2000 of a task, all of a file
  std::uint64_t seed = 1;
  std::optional<int> min_length = {}, max_length = {};  ///< those of the training
  std::optional<int> max_source_length = {};            ///< that of the training
  std::optional<int> max_output_length = {};            ///< see RunConfig::max_output_length()
  int threads = attune::threads();
};

std::vector<Field> fields(TestOptions& options);

/// How well a model did.
struct Evaluation {
  Scores scores = {};
  std::int64_t unfinished = 0;       ///< outputs that were cut
  std::int64_t skipped = 0;          ///< lines that cannot be tested on
  std::int64_t unknown_tokens = 0;   ///< in the sources
  std::string skipped_summary = {};  ///< "1 too long, 3 malformed"
  /// A line for each source, with TABs between source, closest reference, output, score and status
  /// (finished, unfinished, skipped), below a line of those names. The score is 1 - d / n, where d
  /// tokens of the n of the longer of output and reference have to be changed.
  std::string outputs = {};

  /// The numbers as one JSON object, with fractions.
  std::string json() const;
  /// The numbers in lines for people, with percentages.
  std::string table() const;
};

/// Tests a trained model on examples that it never saw. Lines that cannot be used and tokens that
/// training never showed are named on standard error. Errors: as load_run() and read_questions();
/// options out of their ranges, or that the run has no use for.
Evaluation evaluate(const TestOptions& options);

}  // namespace attune
