#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "attune/alignment/translation_table.h"

namespace attune {

struct WordAlignerOptions {
  int word_iterations = 5;  ///< of EM for words alone, with all jumps alike: IBM model 1
  int iterations = 5;       ///< of EM for words and jumps, after them
  double empty = 0.2;       ///< the probability that a target word comes from no source word
};

/// Aligns the words of sentences by statistics of many pairs, as a hidden Markov model: the target
/// word f_j comes from the source word e_i at a_j = i, and the next one tends to come from nearby
/// (Vogel, Ney and Tillmann 1996; the empty word as in Och and Ney 2003):
///
///     P(f, a | e) = prod_j p(a_j | a_{j-1}, I) t(f_j | e_{a_j})
///     p(i | i', I) = (1 - p_0) c(i - i') / sum_{i''=1..I} c(i'' - i')
///
/// A word comes from the empty word with the probability p_0, t is then t(f_j | empty), and the
/// next jump is from the last i' that is not empty, at first from 0. The weights c of jumps farther
/// than kFarthest are those of kFarthest.
///
/// t and c are learned by EM. Posteriors are computed exactly, by the forward-backward algorithm.
/// The weights that are best for the expected jumps have no closed form, since their sum depends on
/// i' and I: they are improved by a step of Hunter's MM algorithm (2004), as choices of a
/// position among I. Thus no iteration lowers the likelihood of the pairs. With all weights 1, as
/// they begin, the model is IBM model 1 (Brown et al. 1993).
class WordAligner {
 public:
  static constexpr int kFarthest = 20;

  /// Learns from pairs, with all threads and the same result for any number of them. Pairs in which
  /// a sentence is empty are ignored. Errors: the number of a word is negative; `empty` is not in
  /// (0, 1); a number of iterations is negative.
  explicit WordAligner(std::span<const WordPair> pairs, const WordAlignerOptions& options = {});

  /// The most probable alignment of a pair, also of one that was not learned from: the source
  /// position of each target word, or kNowhere (the Viterbi alignment).
  std::vector<int> align(const WordPair& pair) const;
  /// Those of many pairs, with all threads.
  std::vector<std::vector<int>> align(std::span<const WordPair> pairs) const;

  /// ln P(f | e), summed over all alignments; 0 without target words, and that of the empty word
  /// alone without source words.
  double log_probability(const WordPair& pair) const;

  /// ln P of all pairs before the first iteration and after each.
  const std::vector<double>& log_likelihoods() const { return log_likelihoods_; }

  /// t(f|e); with kNowhere as `source`, t(f|empty).
  double word_probability(int source, int target) const {
    return words_[words_.cell(source, target)];
  }
  /// c(distance), up to a factor that all have in common.
  double jump_weight(int distance) const;

 private:
  double iterate(std::span<const WordPair> pairs, bool with_jumps);

  double empty_;
  TranslationTable words_;
  std::vector<double> jumps_;  // c from -kFarthest to kFarthest
  std::vector<double> log_likelihoods_;
};

}  // namespace attune
