#include "attune/search/next_tokens.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "attune/autograd/ops/top_of_row.h"
#include "attune/data/vocabulary.h"

namespace attune {
namespace {

static_assert(Vocabulary::end < Vocabulary::specials);
constexpr std::int64_t kNeverWritten = Vocabulary::specials - 1;  // all special tokens but `</s>`

}  // namespace

bool may_be_written(int token, std::span<const int> excluded) {
  return (token == Vocabulary::end || token >= Vocabulary::specials) &&
         std::find(excluded.begin(), excluded.end(), token) == excluded.end();
}

NextTokens::NextTokens(const Prediction& prediction)
    : linear_(prediction.linear), copying_(prediction.copying) {
  const Tensor& logits = prediction.logits;
  vocabulary_ = logits.defined() ? logits.size(1) : linear_.weight.size(0);
  ATTUNE_CHECK(vocabulary_ >= Vocabulary::specials,
               "search: {} logits for a vocabulary without its {} special tokens", vocabulary_,
               Vocabulary::specials);
  rows_.resize(static_cast<std::size_t>(logits.defined() ? logits.size(0) : linear_.x.size(0)));
  if (logits.defined())
    for (std::size_t i = 0; i < rows_.size(); ++i)
      rows_[i] = {.logits = logits, .index = static_cast<std::int64_t>(i)};
}

void NextTokens::compute(std::span<const std::int32_t> rows) {
  if (!linear_.x.defined() || rows.empty()) return;
  const Tensor logits = linear_.of(Indices(rows));
  for (std::size_t i = 0; i < rows.size(); ++i)
    rows_[static_cast<std::size_t>(rows[i])] = {.logits = logits,
                                                .index = static_cast<std::int64_t>(i)};
}

std::vector<int> NextTokens::largest(std::int64_t row, std::int64_t count) const {
  TopOfRow top = top_of_row(at(row).logits, at(row).index, vocabulary(row), count);
  ATTUNE_CHECK(!std::isnan(top.log_sum),
               "search: a logit is NaN, so no token is the most probable one; are the model's "
               "parameters finite?");
  rows_[static_cast<std::size_t>(row)].log_sum = top.log_sum;
  return std::move(top.positions);
}

double NextTokens::log_probability(std::int64_t row, int token) const {
  if (!at(row).log_sum) largest(row, 0);
  const Row& of = at(row);
  return dispatch(of.logits.dtype(), [&](auto type) {
    using T = decltype(type);
    const T logit = of.logits.value().data<T>()[of.index * of.logits.size(1) + token];
    // Above 0 only by rounding.
    return static_cast<double>(std::min(logit - static_cast<T>(*of.log_sum), T{0}));
  });
}

std::vector<int> NextTokens::most_probable(std::int64_t row, int count,
                                           std::span<const int> excluded) const {
  std::vector<int> tokens = largest(row, count + kNeverWritten + std::ssize(excluded));
  std::erase_if(tokens, [&](int token) { return !may_be_written(token, excluded); });
  tokens.resize(std::min(tokens.size(), static_cast<std::size_t>(count)));
  return tokens;
}

std::vector<double> NextTokens::logits(std::int64_t row) const {
  std::vector<double> all = at(row).logits.value()[at(row).index].to_vector<double>();
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
