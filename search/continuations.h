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

/// Up to `count` extensions of a source's hypotheses, those that are most probable. Hypotheses are
/// added in order, the most probable one first.
class MostProbable {
 public:
  explicit MostProbable(int count) : count_(count) {}

  /// Whether an extension of a hypothesis with this log-probability might still be one of them: an
  /// extension is never more probable.
  bool may_gain_from(double log_probability) const;
  /// Extends a hypothesis, which has row `row` of `next`, by each token that is not `excluded`.
  void add(std::size_t hypothesis, double log_probability, const NextTokens& next, std::int64_t row,
           std::span<const int> excluded = {});
  /// Those found so far, the most probable one first.
  const std::vector<Continuation>& found() const { return found_; }
  /// Takes them out, and leaves out those that are impossible.
  std::vector<Continuation> take();

 private:
  int count_;
  std::vector<Continuation> found_;
};

/// Extends each of the `count` hypotheses by a token that is drawn at random, and is not one of
/// those `excluded` for that hypothesis; a single hypothesis is extended `count` times.
std::vector<Continuation> sampled_continuations(const NextTokens& next, std::int64_t first_row,
                                                std::span<const double> log_probabilities,
                                                std::span<const std::vector<int>> excluded,
                                                int count, const SamplingOptions& options,
                                                Generator& random);

}  // namespace attune
