#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/alignment/reference_alignment.h"
#include "attune/data/batch.h"
#include "attune/data/lines.h"
#include "attune/data/pairs.h"
#include "attune/train/run.h"

namespace attune {

/// A source with its correct targets.
struct Question {
  References text;
  std::vector<int> source;                       ///< empty: the model cannot encode it
  std::vector<std::vector<int>> references;      ///< the correct targets
  std::optional<ReferenceAlignment> truth = {};  ///< the true alignment of a task
  /// The reference alignment of each reference, of words if tokens are subwords; empty: there are
  /// none.
  std::vector<ReferenceAlignment> alignments = {};
};

/// The source and the first reference of a question, to train on or to compute a loss of; tokens
/// that the vocabulary does not have are `<unk>`.
Example example_of(const Question& question);

/// Makes `count` questions of the run's task from a split, with source lengths in
/// [min_length, max_length].
std::vector<Question> make_questions(const Run& run, Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length);

/// Files of questions, and which of them to read.
struct QuestionSource {
  PairFiles files;
  int max_length = 1;                 ///< maximum number of tokens of a source
  std::optional<std::int64_t> count;  ///< size of a random sample; not set: all questions
  std::uint64_t seed = 1;             ///< of the sample
  /// A file with the reference alignment of each line in Moses form, see read_moses(); empty: none.
  std::string reference_alignment = {};
};

/// Reads questions from files of pairs, in order. In one file, pairs with the same source are one
/// question; of files side by side, each line is a question with a reference from each of them.
/// Lines that the model cannot encode are added to `bad`; unless a sample is drawn, they are kept
/// in their places as questions without a source. Errors: no questions are left; reference
/// alignments that are malformed, or do not fit the lines (the message gives file and line); as
/// BadLines::add().
std::vector<Question> read_questions(const Run& run, const QuestionSource& from, BadLines& bad,
                                     UnknownTokens* unknown);

}  // namespace attune
