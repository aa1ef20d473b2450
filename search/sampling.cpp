#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/search/continuations.h"

namespace attune {
namespace {

// The tokens that top_k and top_p leave, and the sum of their probabilities up to each, which ends
// at any positive number.
struct Choices {
  std::vector<int> tokens;
  std::vector<double> cumulative;

  int draw(Generator& random) const {
    const double place = random.uniform() * cumulative.back();
    const auto found = std::upper_bound(cumulative.begin(), cumulative.end() - 1, place);
    return tokens[static_cast<std::size_t>(found - cumulative.begin())];
  }
};

Choices choices(const NextTokens& next, std::int64_t row, std::span<const int> excluded,
                const SamplingOptions& options) {
  const std::vector<double> logits = next.logits(row);
  const auto logit = [&](int token) { return logits[static_cast<std::size_t>(token)]; };
  Choices left;
  if (options.top_k > 0 || options.top_p < 1) {
    left.tokens = next.most_probable(
        row, options.top_k > 0 ? options.top_k : static_cast<int>(next.vocabulary(row)), excluded);
  } else {
    for (int token = 0; token < next.vocabulary(row); ++token)
      if (may_be_written(token, excluded)) left.tokens.push_back(token);
  }
  double largest = logit(left.tokens.front());
  for (const int token : left.tokens) largest = std::max(largest, logit(token));
  double sum = 0;
  for (const int token : left.tokens)
    left.cumulative.push_back(sum += std::exp((logit(token) - largest) / options.temperature));
  if (options.top_p < 1) {
    // The first ones whose sum is at least top_p of the whole.
    const auto last =
        std::lower_bound(left.cumulative.begin(), left.cumulative.end() - 1, options.top_p * sum);
    left.cumulative.erase(last + 1, left.cumulative.end());
  }
  return left;
}

}  // namespace

std::vector<Continuation> sampled_continuations(const NextTokens& next, std::int64_t first_row,
                                                std::span<const double> log_probabilities,
                                                std::span<const std::vector<int>> excluded,
                                                int count, const SamplingOptions& options,
                                                Generator& random) {
  const std::size_t hypotheses = log_probabilities.size();
  std::vector<Continuation> found;
  Choices left;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) {
    const std::size_t hypothesis = hypotheses == 1 ? 0 : i;
    const std::int64_t row = first_row + static_cast<std::int64_t>(hypothesis);
    if (i == 0 || hypotheses > 1) left = choices(next, row, excluded[hypothesis], options);
    const int token = left.draw(random);
    found.push_back(
        {hypothesis, token, log_probabilities[hypothesis] + next.log_probability(row, token)});
  }
  return found;
}

}  // namespace attune
