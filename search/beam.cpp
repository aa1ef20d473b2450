#include <algorithm>
#include <limits>
#include <utility>

#include "attune/search/continuations.h"

namespace attune {

bool MostProbable::may_gain_from(double log_probability) const {
  return std::ssize(found_) < count_ || log_probability > found_.back().log_probability;
}

void MostProbable::add(std::size_t hypothesis, double log_probability, const NextTokens& next,
                       std::int64_t row, std::span<const int> excluded) {
  for (const int token : next.most_probable(row, count_, excluded)) {
    const Continuation extended{hypothesis, token,
                                log_probability + next.log_probability(row, token)};
    if (!may_gain_from(extended.log_probability)) return;  // nor from less probable tokens
    // After those that are as probable: they are of an earlier hypothesis, or have a larger logit.
    found_.insert(std::upper_bound(found_.begin(), found_.end(), extended,
                                   [](const Continuation& a, const Continuation& b) {
                                     return a.log_probability > b.log_probability;
                                   }),
                  extended);
    if (std::ssize(found_) > count_) found_.pop_back();
  }
}

std::vector<Continuation> MostProbable::take() {
  // What is impossible takes no place in the beam, unless everything is.
  while (found_.size() > 1 &&
         found_.back().log_probability == -std::numeric_limits<double>::infinity())
    found_.pop_back();
  return std::exchange(found_, {});
}

}  // namespace attune
