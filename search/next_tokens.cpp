#include "attune/search/next_tokens.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

static_assert(Vocabulary::end < Vocabulary::specials);

// The most probable tokens of one row of logits; see NextTokens::most_probable().
template <typename T>
std::vector<int> largest(const T* logits, int vocabulary, int count) {
  const auto more_probable = [&](int a, int b) {
    return logits[a] > logits[b] || (logits[a] == logits[b] && a < b);
  };
  std::vector<int> best = {Vocabulary::end};
  int next = Vocabulary::specials;
  while (std::ssize(best) < count && next < vocabulary) best.push_back(next++);
  std::sort(best.begin(), best.end(), more_probable);
  T least = logits[best.back()];
  for (; next < vocabulary; ++next) {
    if (!(logits[next] > least)) continue;
    best.pop_back();
    best.insert(std::upper_bound(best.begin(), best.end(), next, more_probable), next);
    least = logits[best.back()];
  }
  return best;
}

// The log-sum-exp of each row of logits, of as many as the row has tokens.
Tensor log_sums_of(const Prediction& prediction) {
  const Tensor& logits = prediction.logits;
  const Indices& sizes = prediction.copying.tokens.vocabulary;
  if (!sizes.defined()) return logsumexp(logits, 1);
  std::vector<Tensor> sums;
  for (std::int64_t row = 0; row < sizes.elements(); ++row)
    sums.push_back(logsumexp(slice(logits[row], 0, 0, sizes.at(row)), 0));
  return stack(sums);
}

}  // namespace

bool may_be_written(int token) { return token == Vocabulary::end || token >= Vocabulary::specials; }

NextTokens::NextTokens(const Prediction& prediction)
    : logits_(prediction.logits), copying_(prediction.copying) {
  ATTUNE_CHECK(logits_.size(1) >= Vocabulary::specials,
               "search: logits {} for a vocabulary without its {} special tokens", logits_.shape(),
               Vocabulary::specials);
  log_sums_ = log_sums_of(prediction);
  for (std::int64_t row = 0; row < log_sums_.elements(); ++row)
    ATTUNE_CHECK(!std::isnan(log_sums_.value().at(row)),
                 "search: a logit is NaN, so no token is the most probable one; are the model's "
                 "parameters finite?");
}

double NextTokens::log_probability(std::int64_t row, int token) const {
  return dispatch(logits_.dtype(), [&](auto type) {
    using T = decltype(type);
    return static_cast<double>(logits_.value().data<T>()[row * logits_.size(1) + token] -
                               log_sums_.value().data<T>()[row]);
  });
}

std::vector<int> NextTokens::most_probable(std::int64_t row, int count) const {
  const auto size = static_cast<int>(vocabulary(row));
  return dispatch(logits_.dtype(), [&](auto type) {
    return largest(logits_.value().data<decltype(type)>() + row * logits_.size(1), size, count);
  });
}

std::vector<double> NextTokens::logits(std::int64_t row) const {
  std::vector<double> all = logits_.value()[row].to_vector<double>();
  all.resize(static_cast<std::size_t>(vocabulary(row)));
  return all;
}

bool NextTokens::is_copied(std::int64_t row, int token) const {
  if (!can_copy()) return false;
  const std::int64_t positions = copying_.weights.size(1);
  double copied = 0;
  for (std::int64_t i = row * positions; i < (row + 1) * positions; ++i)
    if (copying_.tokens.ids.at(i) == token) copied += copying_.weights.value().at(i);
  return copied > std::exp(log_probability(row, token)) / 2;
}

}  // namespace attune
