#include "attune/alignment/word_aligner.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "attune/autograd/array/parallel.h"

namespace attune {
namespace {

constexpr std::size_t kJumps = 2 * WordAligner::kFarthest + 1;

std::size_t jump_of(std::ptrdiff_t distance) {
  constexpr std::ptrdiff_t kFarthest = WordAligner::kFarthest;
  return static_cast<std::size_t>(std::clamp(distance, -kFarthest, kFarthest) + kFarthest);
}

std::size_t jump_between(std::size_t from, std::size_t to) {
  return jump_of(static_cast<std::ptrdiff_t>(to) - static_cast<std::ptrdiff_t>(from));
}

// Adds `factor` times `values` to `sums`, both of `n` elements.
void add_scaled(double* sums, const double* values, double factor, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) sums[i] += factor * values[i];
}

// The chain of hidden states for a pair. A state is the last source position that is not empty,
// counted from 1; 0 is the start. Words of the target are counted from 0.
struct Chain {
  Chain(const WordPair& pair, const TranslationTable& words, std::span<const double> weights,
        double empty_share)
      : sources(pair.source.size()),
        states(sources + 1),
        targets(pair.target.size()),
        empty(empty_share),
        transitions(states * states) {
    for (const int target : pair.target) {
      cells.push_back(words.cell(kNowhere, target));
      for (const int source : pair.source) cells.push_back(words.cell(source, target));
    }
    for (const std::size_t cell : cells) emissions.push_back(words[cell]);
    for (std::size_t from = 0; sources > 0 && from < states; ++from) {
      double* row = &transitions[from * states];
      for (std::size_t to = 1; to < states; ++to) row[to] = weights[jump_between(from, to)];
      sums.push_back(std::accumulate(row, row + states, 0.0));
      for (std::size_t to = 1; to < states; ++to) row[to] *= (1 - empty) / sums[from];
    }
  }

  // t of target word j given source position i, or of the empty word for i = 0.
  double emission(std::size_t j, std::size_t i) const { return emissions[j * states + i]; }
  // p of each source position, from 1, after a state; 0 of the start.
  const double* transitions_from(std::size_t state) const { return &transitions[state * states]; }

  std::size_t sources, states, targets;
  double empty;
  std::vector<double> transitions;  // [states, states]
  std::vector<double> sums;         // [states], of the weights of all jumps from a state
  std::vector<std::size_t> cells;   // [targets, states], of the table of words; at 0: empty word
  std::vector<double> emissions;    // [targets, states]
};

// The probabilities of states given the target words up to each of them.
struct Forward {
  explicit Forward(const Chain& chain)
      : state((chain.targets + 1) * chain.states), from_word(chain.targets * chain.states) {
    const std::size_t n = chain.states;
    state[0] = 1;  // the start
    for (std::size_t j = 0; j < chain.targets; ++j) {
      const double *before = &state[j * n], empty = chain.empty * chain.emission(j, 0);
      double *after = &state[(j + 1) * n], *word = &from_word[j * n];
      for (std::size_t from = 0; from < n; ++from)
        add_scaled(word, chain.transitions_from(from), before[from], n);
      for (std::size_t to = 1; to < n; ++to) word[to] *= chain.emission(j, to);
      for (std::size_t i = 0; i < n; ++i) after[i] = word[i] + before[i] * empty;
      const double sum = std::accumulate(after, after + n, 0.0);
      scales.push_back(sum);
      for (std::size_t i = 0; i < n; ++i) {
        after[i] /= sum;
        word[i] /= sum;
      }
    }
  }

  double log_probability() const {
    double sum = 0;
    for (const double scale : scales) sum += std::log(scale);
    return sum;
  }

  std::vector<double> state;      // [targets + 1, states], at first that before any word
  std::vector<double> from_word;  // [targets, states], the share whose word is not from empty
  std::vector<double> scales;     // [targets] the probability of each word given those before
};

// What is expected to happen in a pair.
struct Expectation {
  double log_probability = 0;
  std::vector<std::size_t> cells = {};
  std::vector<double> words = {};    // the posterior of each cell
  std::vector<double> jumps = {};    // [kJumps] how often each distance is chosen
  std::vector<double> chances = {};  // [kJumps] and would be, if its weight were 1
};

Expectation expectation_of(Chain chain) {
  const Forward forward(chain);
  const std::size_t n = chain.states;
  Expectation expected{.log_probability = forward.log_probability(),
                       .cells = {},
                       .words = std::vector<double>(chain.cells.size()),
                       .jumps = std::vector<double>(kJumps),
                       .chances = std::vector<double>(kJumps)};
  std::vector<double> into(n * n);  // the transitions into each state
  for (std::size_t from = 0; from < n; ++from)
    for (std::size_t to = 0; to < n; ++to) into[to * n + from] = chain.transitions_from(from)[to];
  std::vector<double> backward(n, 1.0), earlier(n), onward(n);
  std::vector<double> ways(n * n);  // of jumps between states, but for the transition
  for (std::size_t j = chain.targets; j-- > 0;) {
    const double *before = &forward.state[j * n], *word = &forward.from_word[j * n];
    const double scale = forward.scales[j], empty = chain.empty * chain.emission(j, 0) / scale;
    for (std::size_t i = 0; i < n; ++i) {
      expected.words[j * n] += before[i] * empty * backward[i];
      earlier[i] = empty * backward[i];
      if (i == 0) continue;
      expected.words[j * n + i] = word[i] * backward[i];
      onward[i] = chain.emission(j, i) * backward[i] / scale;
    }
    for (std::size_t i = 0; i < n; ++i) {
      add_scaled(&ways[i * n], onward.data(), before[i], n);
      add_scaled(earlier.data(), &into[i * n], onward[i], n);
    }
    backward.swap(earlier);
  }
  for (std::size_t from = 0; from < n; ++from) {
    double count = 0;
    for (std::size_t to = 1; to < n; ++to) {
      const double jumps = ways[from * n + to] * chain.transitions_from(from)[to];
      expected.jumps[jump_between(from, to)] += jumps;
      count += jumps;
    }
    for (std::size_t to = 1; to < n; ++to)
      expected.chances[jump_between(from, to)] += count / chain.sums[from];
  }
  expected.cells = std::move(chain.cells);
  return expected;
}

// Replaces weights of jumps by those of a step of the MM algorithm.
void improve(std::vector<double>& weights, std::span<const double> jumps,
             std::span<const double> chances) {
  for (const std::ptrdiff_t step : {1, -1}) {
    for (std::ptrdiff_t distance = step > 0 ? 0 : -1; std::abs(distance) <= WordAligner::kFarthest;
         distance += step) {
      const std::size_t jump = jump_of(distance);
      // Where no sentence is long enough for a jump, it is as likely as the longest one.
      if (chances[jump] > 0)
        weights[jump] = std::max(jumps[jump] / chances[jump], TranslationTable::kLeast);
      else if (distance != 0)
        weights[jump] = weights[jump_of(distance - step)];
    }
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (double& weight : weights) weight /= sum;
}

void add(std::vector<double>& sums, std::span<const double> values) {
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += values[i];
}

// Calls `visit(i)` for each pair, with all threads.
template <typename Visit>
void for_each_pair(std::span<const WordPair> pairs, const Visit& visit) {
  constexpr std::int64_t kGrain = 8;
  parallel_for(std::ssize(pairs), kGrain, [&](std::int64_t first, std::int64_t end) {
    for (std::int64_t i = first; i < end; ++i) visit(static_cast<std::size_t>(i));
  });
}

bool is_empty(const WordPair& pair) { return pair.source.empty() || pair.target.empty(); }

}  // namespace

WordAligner::WordAligner(std::span<const WordPair> pairs, const WordAlignerOptions& options)
    : empty_(options.empty), words_(pairs), jumps_(kJumps, 1.0) {
  ATTUNE_CHECK(
      empty_ > 0 && empty_ < 1,
      "word aligner: the probability of the empty word is {}; expected one between 0 and 1",
      empty_);
  ATTUNE_CHECK(options.word_iterations >= 0 && options.iterations >= 0,
               "word aligner: {} and {} iterations; expected numbers from 0 up",
               options.word_iterations, options.iterations);
  for (int i = 0; i < options.word_iterations + options.iterations; ++i)
    log_likelihoods_.push_back(iterate(pairs, i >= options.word_iterations));
  std::vector<double> last(pairs.size());
  for_each_pair(pairs, [&](std::size_t i) {
    if (!is_empty(pairs[i])) last[i] = log_probability(pairs[i]);
  });
  log_likelihoods_.push_back(std::accumulate(last.begin(), last.end(), 0.0));
}

double WordAligner::iterate(std::span<const WordPair> pairs, bool with_jumps) {
  // Threads compute the expectations of a block of pairs, which are then added up in their order.
  constexpr std::size_t kBlock = 256;
  std::vector<double> words(words_.cells()), jumps(kJumps), chances(kJumps);
  double log_likelihood = 0;
  std::vector<Expectation> block;
  for (std::size_t done = 0; done < pairs.size(); done += kBlock) {
    const auto part = pairs.subspan(done, std::min(kBlock, pairs.size() - done));
    block.assign(part.size(), {});
    for_each_pair(part, [&](std::size_t i) {
      if (!is_empty(part[i])) block[i] = expectation_of({part[i], words_, jumps_, empty_});
    });
    for (const Expectation& expected : block) {
      if (expected.cells.empty()) continue;
      log_likelihood += expected.log_probability;
      for (std::size_t i = 0; i < expected.cells.size(); ++i)
        words[expected.cells[i]] += expected.words[i];
      add(jumps, expected.jumps);
      add(chances, expected.chances);
    }
  }
  words_.set(words);
  if (with_jumps) improve(jumps_, jumps, chances);
  return log_likelihood;
}

std::vector<int> WordAligner::align(const WordPair& pair) const {
  const Chain chain(pair, words_, jumps_, empty_);
  const std::size_t n = chain.states;
  // The largest probability of an alignment that ends in each state, divided by that of all; and
  // the state before it, or `from_empty` if the last word comes from the empty word.
  const std::size_t from_empty = n;
  std::vector<double> best(n), next(n);
  std::vector<std::size_t> previous(chain.targets * n);
  best[0] = 1;
  for (std::size_t j = 0; j < chain.targets; ++j) {
    for (std::size_t to = 0; to < n; ++to) {
      next[to] = best[to] * chain.empty * chain.emission(j, 0);
      previous[j * n + to] = from_empty;
      for (std::size_t from = 0; to > 0 && from < n; ++from) {
        const double way = best[from] * chain.transitions_from(from)[to] * chain.emission(j, to);
        if (way <= next[to]) continue;
        next[to] = way;
        previous[j * n + to] = from;
      }
    }
    const double largest = *std::max_element(next.begin(), next.end());
    for (double& probability : next) probability /= largest;
    best.swap(next);
  }
  auto state = static_cast<std::size_t>(std::max_element(best.begin(), best.end()) - best.begin());
  std::vector<int> positions(chain.targets, kNowhere);
  for (std::size_t j = chain.targets; j-- > 0;) {
    const std::size_t before = previous[j * n + state];
    if (before == from_empty) continue;
    positions[j] = static_cast<int>(state) - 1;
    state = before;
  }
  return positions;
}

std::vector<std::vector<int>> WordAligner::align(std::span<const WordPair> pairs) const {
  std::vector<std::vector<int>> positions(pairs.size());
  for_each_pair(pairs, [&](std::size_t i) { positions[i] = align(pairs[i]); });
  return positions;
}

double WordAligner::log_probability(const WordPair& pair) const {
  return Forward({pair, words_, jumps_, empty_}).log_probability();
}

double WordAligner::jump_weight(int distance) const { return jumps_[jump_of(distance)]; }

}  // namespace attune
