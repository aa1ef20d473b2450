#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/search/continuations.h"

namespace attune {

std::vector<Continuation> most_probable_continuations(const NextTokens& next,
                                                      std::int64_t first_row,
                                                      std::span<const double> log_probabilities,
                                                      int count) {
  std::vector<Continuation> found;
  for (std::size_t i = 0; i < log_probabilities.size(); ++i) {
    const std::int64_t row = first_row + static_cast<std::int64_t>(i);
    for (const int token : next.most_probable(row, count))
      found.push_back({i, token, log_probabilities[i] + next.log_probability(row, token)});
  }
  // Stable: tokens of one hypothesis stay in the order of their logits, even if the sums are equal.
  std::stable_sort(found.begin(), found.end(), [](const Continuation& a, const Continuation& b) {
    return a.log_probability > b.log_probability;
  });
  found.resize(std::min(found.size(), static_cast<std::size_t>(count)));
  // What is impossible takes no place in the beam, unless everything is.
  while (found.size() > 1 &&
         found.back().log_probability == -std::numeric_limits<double>::infinity())
    found.pop_back();
  return found;
}

}  // namespace attune
