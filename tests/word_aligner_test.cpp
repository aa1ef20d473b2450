#include "attune/alignment/word_aligner.h"

#include <cmath>
#include <vector>

#include "attune/alignment/alignment.h"
#include "attune/autograd/array/error.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/array/threads.h"
#include "catch.h"

using namespace attune;

namespace {

using Positions = std::vector<int>;
constexpr double kEmpty = 0.15;

WordAligner learn(const std::vector<WordPair>& pairs, int word_iterations, int iterations) {
  return WordAligner(
      pairs, {.word_iterations = word_iterations, .iterations = iterations, .empty = kEmpty});
}

// Pairs of a random source with its words translated (0 into 0, and so on), two of which are
// swapped, and with a word of no source now and then.
std::vector<WordPair> swapped_pairs(int count, int words, std::uint64_t seed) {
  Generator random(seed);
  std::vector<WordPair> pairs;
  for (int i = 0; i < count; ++i) {
    WordPair pair;
    const auto length = static_cast<std::size_t>(3 + random.below(5));
    for (std::size_t s = 0; s < length; ++s)
      pair.source.push_back(static_cast<int>(random.below(words)));
    pair.target = pair.source;
    std::swap(pair.target[0], pair.target[1]);
    if (random.below(3) == 0) pair.target.push_back(words);
    pairs.push_back(pair);
  }
  return pairs;
}

// Everything about a pair by adding up all of its alignments.
struct Enumeration {
  double probability = 0, best = 0;
  Positions best_positions = {};
  std::vector<std::vector<double>> posteriors = {};  // [T][S + 1], the last: empty
  std::vector<std::vector<double>> jumps = {};       // [S + 1][S], from the start or a position

  Enumeration(const WordAligner& aligner, const WordPair& pair)
      : posteriors(pair.target.size(), std::vector<double>(pair.source.size() + 1)),
        jumps(pair.source.size() + 1, std::vector<double>(pair.source.size())) {
    visit(aligner, pair, {}, 1);
    for (auto* table : {&posteriors, &jumps})
      for (std::vector<double>& row : *table)
        for (double& value : row) value /= probability;
  }

 private:
  // All continuations of an alignment with this probability so far.
  void visit(const WordAligner& aligner, const WordPair& pair, const Positions& positions,
             double so_far) {
    if (positions.size() == pair.target.size()) return count(positions, so_far);
    const int sources = static_cast<int>(pair.source.size());
    const int word = pair.target[positions.size()];
    int last = -1;
    for (const int position : positions)
      if (position != kNowhere) last = position;
    double sum = 0;
    for (int s = 0; s < sources; ++s) sum += aligner.jump_weight(s - last);
    for (int s = kNowhere; s < sources; ++s) {
      Positions more = positions;
      more.push_back(s);
      const double jump =
          s == kNowhere ? kEmpty : (1 - kEmpty) * aligner.jump_weight(s - last) / sum;
      const int source = s == kNowhere ? kNowhere : pair.source[static_cast<std::size_t>(s)];
      visit(aligner, pair, more, so_far * jump * aligner.word_probability(source, word));
    }
  }

  void count(const Positions& positions, double value) {
    probability += value;
    if (value > best) {
      best = value;
      best_positions = positions;
    }
    std::size_t last = 0;
    for (std::size_t t = 0; t < positions.size(); ++t) {
      if (positions[t] == kNowhere) {
        posteriors[t].back() += value;
        continue;
      }
      const auto s = static_cast<std::size_t>(positions[t]);
      posteriors[t][s] += value;
      jumps[last][s] += value;
      last = s + 1;
    }
  }
};

const std::vector<WordPair> kToy = {{{0, 1}, {0, 1}},
                                    {{1, 2, 0}, {1, 0, 2, 3}},
                                    {{2}, {2, 3}},
                                    {{0, 3, 1, 3}, {1, 4, 0}},
                                    {{2, 2, 1}, {2, 1}}};

}  // namespace

TEST_CASE("the probability of a pair and its best alignment are those of all alignments") {
  for (const int iterations : {0, 1, 3}) {
    const WordAligner aligner = learn(kToy, 2, iterations);
    for (const WordPair& pair : kToy) {
      const Enumeration all(aligner, pair);
      CHECK(aligner.log_probability(pair) == Approx(std::log(all.probability)));
      const Positions found = aligner.align(pair);
      REQUIRE(found.size() == pair.target.size());
      if (iterations > 0) CHECK(found == all.best_positions);
    }
    double sum = 0;
    for (const WordPair& pair : kToy) sum += aligner.log_probability(pair);
    CHECK(aligner.log_likelihoods().back() == Approx(sum));
    CHECK(aligner.log_likelihoods().size() == static_cast<std::size_t>(3 + iterations));
  }
}

TEST_CASE("an iteration of EM sets words and jumps by the posteriors of all alignments") {
  for (const int iterations : {0, 2}) {
    const WordAligner before = learn(kToy, 1, iterations), after = learn(kToy, 1, iterations + 1);
    constexpr int kSources = 4, kTargets = 5;
    std::vector<std::vector<double>> words(kSources + 1, std::vector<double>(kTargets));
    std::vector<double> jumps(9), chances(9);  // of the distances -4 to 4
    for (const WordPair& pair : kToy) {
      const Enumeration all(before, pair);
      const std::size_t sources = pair.source.size();
      for (std::size_t t = 0; t < pair.target.size(); ++t)
        for (std::size_t s = 0; s <= sources; ++s) {
          const auto row = static_cast<std::size_t>(s == sources ? kSources : pair.source[s]);
          words[row][static_cast<std::size_t>(pair.target[t])] += all.posteriors[t][s];
        }
      for (std::size_t from = 0; from <= sources; ++from) {
        double sum = 0, count = 0;
        for (std::size_t to = 1; to <= sources; ++to) {
          sum += before.jump_weight(static_cast<int>(to) - static_cast<int>(from));
          count += all.jumps[from][to - 1];
          jumps[to + 4 - from] += all.jumps[from][to - 1];
        }
        for (std::size_t to = 1; to <= sources; ++to) chances[to + 4 - from] += count / sum;
      }
    }
    for (int source = 0; source <= kSources; ++source) {
      const std::vector<double>& row = words[static_cast<std::size_t>(source)];
      double sum = 0;
      for (const double count : row) sum += count;
      for (int target = 0; target < kTargets; ++target)
        CHECK(after.word_probability(source == kSources ? kNowhere : source, target) ==
              Approx(row[static_cast<std::size_t>(target)] / sum).margin(1e-11));
    }
    for (int distance = -3; distance <= 4; ++distance) {
      const auto at = static_cast<std::size_t>(distance + 4);
      CHECK(after.jump_weight(distance) / after.jump_weight(1) ==
            Approx(jumps[at] / chances[at] / (jumps[5] / chances[5])));
    }
    CHECK(after.jump_weight(20) == after.jump_weight(4));  // no sentence is long enough
    CHECK(after.jump_weight(-99) == after.jump_weight(-3));
  }
}

TEST_CASE("with all jumps alike the aligner is IBM model 1, whose EM is known by hand") {
  // "a b" with "x y" and "a" with "x". Without an empty word, t(x|a) = 1/2, 3/4, ... (Brown et al.
  // 1993); here the empty word takes its share, p of one word and (1 - p) / 2 of each of two.
  const std::vector<WordPair> pairs = {{{0, 1}, {0, 1}}, {{0}, {0}}};
  const WordAligner aligner = learn(pairs, 1, 0);
  const double half = (1 - kEmpty) / 2;
  CHECK(aligner.word_probability(0, 0) == Approx((half + 1 - kEmpty) / (2 * half + 1 - kEmpty)));
  CHECK(aligner.word_probability(1, 0) == Approx(0.5));
  CHECK(aligner.word_probability(kNowhere, 0) == Approx(2.0 / 3));
  CHECK(aligner.jump_weight(-3) == aligner.jump_weight(1));
  // Three target words of probability 1/2 each.
  CHECK(aligner.log_likelihoods().front() == Approx(3 * std::log(0.5)));
  CHECK(learn(pairs, 30, 0).word_probability(1, 1) > 0.99);
}

TEST_CASE("no iteration lowers the likelihood") {
  for (const std::uint64_t seed : {1, 2}) {
    const WordAligner aligner = learn(swapped_pairs(60, 9, seed), 4, 12);
    const std::vector<double>& likelihoods = aligner.log_likelihoods();
    REQUIRE(likelihoods.size() == 17);
    for (std::size_t i = 1; i < likelihoods.size(); ++i)
      CHECK(likelihoods[i] >= likelihoods[i - 1] - 1e-9 * std::abs(likelihoods[i - 1]));
    CHECK(likelihoods.back() > likelihoods.front() + 100);
  }
}

TEST_CASE("words that are swapped, and those of no source word, are aligned after a few pairs") {
  const WordAligner aligner = learn(swapped_pairs(200, 12, 5), 5, 5);
  CHECK(aligner.align({{3, 4, 5, 6}, {4, 3, 5, 6}}) == Positions{1, 0, 2, 3});
  CHECK(aligner.align({{3, 4, 5}, {4, 3, 5, 12}}) == Positions{1, 0, 2, kNowhere});
  // The right one of equal words is the near one.
  CHECK(aligner.align({{3, 4, 7, 5, 6, 8, 7}, {4, 3, 7, 5, 6, 8, 7}}) ==
        Positions{1, 0, 2, 3, 4, 5, 6});
  CHECK(aligner.jump_weight(1) > 5 * aligner.jump_weight(3));
  CHECK(aligner.word_probability(2, 2) > 0.9);
  CHECK(aligner.word_probability(2, 99) == TranslationTable::kLeast);
}

TEST_CASE("unknown words, empty sentences and long ones have an alignment") {
  const WordAligner aligner = learn(swapped_pairs(50, 6, 3), 3, 3);
  CHECK(aligner.align({{}, {1, 2}}) == Positions{kNowhere, kNowhere});
  CHECK(aligner.align({{1, 2}, {}}).empty());
  CHECK(aligner.log_probability({{1, 2}, {}}) == 0);
  CHECK(aligner.align({{50, 1}, {1, 60}}).front() == 1);
  CHECK(std::isfinite(aligner.log_probability({{50}, {60, 61}})));
  WordPair pair;
  for (int i = 0; i < 500; ++i) pair.source.push_back(i % 6);
  pair.target = pair.source;
  const Positions positions = aligner.align(pair);
  REQUIRE(positions.size() == 500);
  CHECK(std::isfinite(aligner.log_probability(pair)));
  CHECK(learn({{{}, {1}}, {{1}, {}}}, 2, 2).log_likelihoods().back() == 0);
  CHECK(learn({}, 1, 1).log_likelihoods().back() == 0);
}

TEST_CASE("what is learned does not depend on the number of threads") {
  const std::vector<WordPair> pairs = swapped_pairs(700, 30, 4);
  const int before = threads();
  set_threads(1);
  const WordAligner one = learn(pairs, 2, 2);
  for (const int count : {2, 3, 8}) {
    set_threads(count);
    const WordAligner several = learn(pairs, 2, 2);
    CHECK(several.log_likelihoods() == one.log_likelihoods());
    for (int word = 0; word < 30; ++word)
      CHECK(several.word_probability(word, word) == one.word_probability(word, word));
    CHECK(several.jump_weight(1) == one.jump_weight(1));
  }
  set_threads(before);
}

TEST_CASE("the aligner says what is wrong with its pairs and options") {
  const std::vector<WordPair> pairs = {{{0}, {0}}};
  CHECK_THROWS_WITH(learn({{{0, -2}, {0}}}, 1, 1), contains("a word has the number -2"));
  CHECK_THROWS_WITH(WordAligner(pairs, {.word_iterations = 1, .iterations = 1, .empty = 1}),
                    contains("the empty word is 1; expected one between 0 and 1"));
  CHECK_THROWS_WITH(learn(pairs, 1, -1), contains("1 and -1 iterations; expected numbers from 0"));
}
