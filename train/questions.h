#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "attune/data/lines.h"
#include "attune/train/run.h"

namespace attune {

/// A source, and what is right for it.
struct Question {
  References text;
  std::vector<int> source;                   ///< empty: the model cannot read it
  std::vector<std::vector<int>> references;  ///< any of these targets
  std::vector<int> truth;                    ///< of each target token its source position; or empty
  bool equal_tokens_are_one = false;         ///< see Task::equal_letters_are_one
};

/// `count` questions of the task from a split, with lengths in [min_length, max_length].
std::vector<Question> make_questions(const Run& run, Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length);

/// Where questions are read from, and which.
struct QuestionSource {
  std::string path;                   ///< "-": standard input
  int max_length = 1;                 ///< the most tokens of a source
  std::optional<std::int64_t> count;  ///< a random sample of so many; none: all
  std::uint64_t seed = 1;             ///< fixes the sample
};

/// The questions of a text of pairs, in its order: pairs with one source are one question. Lines
/// that the model cannot be asked go to `bad`; without a sample they keep their places, as
/// questions without a source. Errors: no question is left; what `bad` does not take.
std::vector<Question> read_questions(const Run& run, const QuestionSource& from, BadLines& bad,
                                     UnknownTokens* unknown);

/// What the model writes for each question, as answer() does; nothing for those that it cannot
/// read.
std::vector<Hypothesis> answers_to(const Run& run, std::span<const Question> questions,
                                   std::optional<int> max_output_length = {});

/// Compares answers with what is right. Questions that the model cannot read do not count.
Scores score(const Run& run, std::span<const Question> questions,
             std::span<const Hypothesis> answers);

}  // namespace attune
