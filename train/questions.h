#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/data/lines.h"
#include "attune/train/run.h"

namespace attune {

/// A source with its correct targets.
struct Question {
  References text;
  std::vector<int> source;                   ///< empty: the model cannot encode it
  std::vector<std::vector<int>> references;  ///< the correct targets
  std::vector<int> truth;                    ///< source position of each target token; may be empty
  bool equal_tokens_are_one = false;         ///< see Task::equal_letters_are_one
};

/// Makes `count` questions of the run's task from a split, with source lengths in
/// [min_length, max_length].
std::vector<Question> make_questions(const Run& run, Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length);

/// A file of questions, and which of them to read.
struct QuestionSource {
  std::string path;                   ///< "-": standard input
  int max_length = 1;                 ///< maximum number of tokens of a source
  std::optional<std::int64_t> count;  ///< size of a random sample; not set: all questions
  std::uint64_t seed = 1;             ///< of the sample
};

/// Reads questions from a file of pairs, in order; pairs with the same source are one question.
/// Lines that the model cannot encode are added to `bad`; unless a sample is drawn, they are kept
/// in their places as questions without a source. Errors: no questions are left; as
/// BadLines::add().
std::vector<Question> read_questions(const Run& run, const QuestionSource& from, BadLines& bad,
                                     UnknownTokens* unknown);

/// The model's output for each question, as from answer(); empty for those without a source.
std::vector<Hypothesis> answers_to(const Run& run, std::span<const Question> questions,
                                   std::optional<int> max_output_length = {},
                                   const SearchOptions& options = {});

/// Compares answers with the references. Questions without a source are not counted.
Scores score(const Run& run, std::span<const Question> questions,
             std::span<const Hypothesis> answers);

}  // namespace attune
