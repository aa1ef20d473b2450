#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/search/next_tokens.h"
#include "attune/search/search.h"

/// How the hypotheses of a source are extended at a step, in which searches differ.
namespace attune {

/// A hypothesis, extended by a token.
struct Continuation {
  std::size_t hypothesis;  ///< which one of the source's
  int token;
  double log_probability;  ///< of the extended hypothesis
};

/// Up to `count` extensions, the most probable first, of the hypotheses in rows first_row,
/// first_row + 1, ... of `next`, which have the given log-probabilities.
std::vector<Continuation> most_probable_continuations(const NextTokens& next,
                                                      std::int64_t first_row,
                                                      std::span<const double> log_probabilities,
                                                      int count);

/// Extends each of the `count` hypotheses by a token that is drawn at random; a single hypothesis
/// is extended `count` times.
std::vector<Continuation> sampled_continuations(const NextTokens& next, std::int64_t first_row,
                                                std::span<const double> log_probabilities,
                                                int count, const SamplingOptions& options,
                                                Generator& random);

}  // namespace attune
