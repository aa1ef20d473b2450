#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/threads.h"
#include "attune/metrics/text_scores.h"
#include "attune/search/search.h"
#include "attune/train/answers.h"
#include "attune/train/fields.h"

namespace attune {

/// Options of evaluate().
struct TestOptions {
  std::string run = {};     ///< the run folder
  std::string data = {};    ///< a file of pairs; empty: files side by side, or the model's task
  std::string source = {};  ///< a file of sources
  std::vector<std::string> references = {};  ///< files of targets, each with one of every source
  std::string reference_alignment = {};      ///< of `data`; see QuestionSource
  std::optional<std::int64_t> count = {};    ///< default: 2000 of a task, all of a file
  std::uint64_t seed = 1;
  std::optional<int> min_length = {}, max_length = {};  ///< default: those of the training
  std::optional<int> max_source_length = {};            ///< default: that of the training
  std::optional<int> max_output_length = {};            ///< see RunConfig::max_output_length()
  SearchOptions search = {};                            ///< beam and penalties
  std::string metrics = {};  ///< metrics of texts, see make_text_metrics(); empty: none
  std::string compare = {};  ///< another run folder; empty: none
  int threads = attune::threads();

  /// The files of pairs; empty: examples of the model's task.
  PairFiles pairs() const { return {data, source, references}; }
};

std::vector<Field> fields(TestOptions& options);

/// Errors: OptionError, if a value is out of its range, files of pairs do not go together, a metric
/// is unknown, or runs are to be compared without metrics.
void check(const TestOptions& options);

/// The result of evaluate().
struct Evaluation {
  Measures measures = {};
  std::int64_t unfinished = 0;       ///< outputs cut off at the length limit
  std::int64_t skipped = 0;          ///< lines that cannot be used
  std::int64_t unknown_tokens = 0;   ///< in the sources
  std::string skipped_summary = {};  ///< "1 too long, 3 malformed"
  /// Tokens of the closest references that the target vocabulary does not have, and how many of
  /// them the outputs have: they can only be right if the model copies them.
  std::int64_t unknown_targets = 0, unknown_targets_right = 0;
  /// A header line, then a line for each source, with TABs between source, closest reference,
  /// output, score and status (finished, unfinished, skipped). The score is 1 - d / n, where d is
  /// the edit distance of output and reference and n the length of the longer one, in tokens.
  std::string outputs = {};
  /// The scores by TestOptions::metrics, which compare the outputs with the targets as texts, and
  /// how they compare with those of the other run.
  std::vector<TextScore> text_scores = {};
  std::string compared_run = {};

  /// The numbers as a JSON object, with fractions.
  std::string json() const;
  /// The numbers as a human-readable table, with percentages.
  std::string table() const;
};

/// Tests a trained model on examples that it was not trained on. Lines that cannot be used and
/// unknown tokens are reported on standard error. Errors: as check(), load_run() and
/// read_questions(); options that do not apply to the run; a source that the run to compare with
/// cannot encode.
Evaluation evaluate(const TestOptions& options);

}  // namespace attune
