#pragma once

#include <span>
#include <vector>

#include "run.h"

namespace seq2seq {

/// A source, and what is right for it.
struct Question {
  std::vector<int> source;
  std::vector<std::vector<int>> references;  ///< any of these targets
  std::vector<int> truth;                    ///< of each target token its source position; or empty
};

/// `count` questions of the task from a split, with lengths in [min_length, max_length].
std::vector<Question> make_questions(const Run& run, attune::Split split, std::int64_t count,
                                     std::uint64_t seed, int min_length, int max_length);

/// The questions of a file of pairs, at most `count`: pairs with one source are one question.
/// Unknown tokens of the sources are reported on standard error. Errors name file and line: no
/// pairs, text that is not UTF-8, a source longer than the limit.
std::vector<Question> read_questions(const Run& run, const std::string& path, std::int64_t count);

/// Lets the model answer, by greedy search, and compares.
attune::Scores score(const Run& run, std::span<const Question> questions);

}  // namespace seq2seq
