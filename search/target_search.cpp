#include "attune/search/target_search.h"

#include <algorithm>
#include <utility>

#include "attune/data/vocabulary.h"
#include "attune/search/penalties.h"

namespace attune {
namespace {

// The first `count` numbers of a row of alignment [R, S].
std::vector<float> weights_of(const Tensor& alignment, std::int64_t row, std::size_t count) {
  if (!alignment.defined()) return {};
  return dispatch(alignment.dtype(), [&](auto type) {
    const auto* first = alignment.value().data<decltype(type)>() + row * alignment.size(1);
    return std::vector<float>(first, first + count);
  });
}

}  // namespace

TargetSearch::TargetSearch(const SearchInput& input, const SearchOptions& options)
    : input_(input),
      options_(options),
      random_(options.sampling ? options.sampling->seed : 0, /*draws=*/input.stream << 32),
      wanted_(options.sampling ? options.n_best : options.beam),
      extensions_(wanted_) {}

bool TargetSearch::needs(std::int64_t index) const {
  if (index >= rows()) return false;
  if (in_prefix() || options_.sampling) return true;
  const Live& live = live_[static_cast<std::size_t>(index)];
  return extensions_.may_gain_from(live.log_probability) && may_be_returned(live);
}

void TargetSearch::look_at(std::int64_t index, const NextTokens& next, std::int64_t row) {
  if (in_prefix() || options_.sampling) return;  // continuations() will
  const auto hypothesis = static_cast<std::size_t>(index);
  const Live& live = live_[hypothesis];
  extensions_.add(hypothesis, live.log_probability, next, row, repeating_tokens(live));
}

void TargetSearch::step(const NextTokens& next, const Tensor& alignment, std::int64_t first_row,
                        NextRows& going_on) {
  const bool at_limit = length_ == input_.max_length;
  struct Extended {
    Live live;
    std::int64_t row;
  };
  std::vector<Extended> extended;
  can_copy_ = next.can_copy();
  std::vector<bool> has_ended(live_.size());
  for (const auto& [hypothesis, token, log_probability] : continuations(next, first_row)) {
    const bool ends = token == Vocabulary::end;
    if (at_limit && !ends) continue;
    const std::int64_t row = first_row + static_cast<std::int64_t>(hypothesis);
    steps_.push_back({token, live_[hypothesis].last,
                      weights_of(alignment, row, input_.source.size()),
                      next.is_copied(row, token)});
    const Live live{steps_.size() - 1, log_probability};
    if (ends) {
      has_ended[hypothesis] = true;
      finish(live, /*with_end=*/true);
    } else {
      extended.push_back({live, row});
    }
  }
  if (at_limit)
    for (std::size_t i = 0; i < live_.size(); ++i)
      if (!has_ended[i]) finish(live_[i], /*with_end=*/false);
  live_.clear();
  for (const auto& [live, row] : extended) {
    if (!may_be_returned(live)) continue;
    live_.push_back(live);
    going_on.rows.push_back(static_cast<std::int32_t>(row));
    going_on.tokens.push_back(steps_[live.last].token);
  }
  ++length_;
  extensions_ = MostProbable(wanted_);
}

bool TargetSearch::may_be_returned(const Live& live) const {
  if (options_.sampling) return true;
  // Its log-probability can only fall, and the coverage penalty is at most 0.
  const double most = live.log_probability /
                      length_penalty(std::int64_t{input_.max_length} + 1, options_.length_penalty);
  auto ahead = std::count_if(found_.begin(), found_.end(), [&](const Hypothesis& found) {
    return found.finished && found.score >= most;
  });
  // Without penalties, the scores of those that this step finishes are known as well.
  if (options_.length_penalty == 0 && options_.coverage_penalty == 0)
    for (const Continuation& extended : extensions_.found())
      ahead += extended.token == Vocabulary::end && extended.log_probability >= most;
  return ahead < options_.n_best;
}

std::vector<Continuation> TargetSearch::continuations(const NextTokens& next,
                                                      std::int64_t first_row) {
  if (in_prefix()) {
    const int token = input_.prefix[static_cast<std::size_t>(length_)];
    ATTUNE_CHECK(token < next.vocabulary(first_row),
                 "search: token {} of a prefix is outside of the vocabulary of {}", token,
                 next.vocabulary(first_row));
    return {{0, token, live_[0].log_probability + next.log_probability(first_row, token)}};
  }
  if (!options_.sampling) return extensions_.take();
  std::vector<double> log_probabilities;
  std::vector<std::vector<int>> excluded;
  for (const Live& live : live_) {
    log_probabilities.push_back(live.log_probability);
    excluded.push_back(repeating_tokens(live));
  }
  return sampled_continuations(next, first_row, log_probabilities, excluded, wanted_,
                               *options_.sampling, random_);
}

std::vector<int> TargetSearch::repeating_tokens(const Live& live) const {
  if (options_.no_repeat_ngram == 0) return {};
  std::vector<int> newest_first;
  for (std::size_t i = live.last; i != kNone; i = steps_[i].previous)
    newest_first.push_back(steps_[i].token);
  // A token repeats an n-gram if it followed an earlier occurrence of the last n - 1 tokens.
  const auto known = static_cast<std::size_t>(options_.no_repeat_ngram - 1);
  std::vector<int> repeating;
  for (std::size_t i = 1; i + known <= newest_first.size(); ++i)
    if (std::equal(newest_first.begin(), newest_first.begin() + static_cast<std::ptrdiff_t>(known),
                   newest_first.begin() + static_cast<std::ptrdiff_t>(i)))
      repeating.push_back(newest_first[i - 1]);
  return repeating;
}

void TargetSearch::finish(const Live& live, bool with_end) {
  Hypothesis found{.finished = with_end, .log_probability = live.log_probability};
  std::vector<const Step*> steps;
  for (std::size_t i = live.last; i != kNone; i = steps_[i].previous) steps.push_back(&steps_[i]);
  std::vector<double> coverage;
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const auto& [token, previous, weights, copied] = **step;
    coverage.resize(weights.size());
    for (std::size_t s = 0; s < weights.size(); ++s) coverage[s] += weights[s];
    if (token == Vocabulary::end) continue;
    found.tokens.push_back(token);
    if (can_copy_) found.copied.push_back(copied);
    if (options_.weights) found.weights.insert(found.weights.end(), weights.begin(), weights.end());
  }
  found.score = live.log_probability / length_penalty(std::ssize(steps), options_.length_penalty) +
                coverage_penalty(coverage, options_.coverage_penalty);
  found_.push_back(std::move(found));
  if (options_.sampling || options_.length_penalty > 0) --wanted_;
}

std::vector<Hypothesis> TargetSearch::found() const {
  std::vector<Hypothesis> best = found_;
  std::stable_sort(best.begin(), best.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return std::pair(a.finished, a.score) > std::pair(b.finished, b.score);
  });
  best.resize(std::min(best.size(), static_cast<std::size_t>(options_.n_best)));
  return best;
}

}  // namespace attune
