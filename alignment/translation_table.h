#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace attune {

/// A pair of sentences, as numbers of words from 0 up.
struct WordPair {
  std::vector<int> source, target;
};

/// The probabilities t(f|e) of target words f given source words e, for words of pairs: only words
/// that occur in one of the pairs together have a place, a cell. Of a source word of kNowhere, the
/// empty word, every target word has one.
class TranslationTable {
 public:
  /// The probability of words that no pair has together, and the least of all others.
  static constexpr double kLeast = 1e-12;

  /// All probabilities are equal. Errors: the number of a word is negative.
  explicit TranslationTable(std::span<const WordPair> pairs);

  std::size_t cells() const { return probabilities_.size(); }
  /// The cell of two words; cells() if no pair has both.
  std::size_t cell(int source, int target) const;
  /// The probability in a cell; kLeast beyond them.
  double operator[](std::size_t cell) const {
    return cell < cells() ? probabilities_[cell] : kLeast;
  }

  /// Replaces the probabilities by the counts [cells()] of each source word, divided by their sum.
  /// Words that were never counted keep theirs.
  void set(std::span<const double> counts);

 private:
  // Row e of the table is [rows_[e], rows_[e + 1]), in the order of target words. Row 0 is that of
  // the empty word.
  std::vector<std::size_t> rows_;
  std::vector<int> targets_;
  std::vector<double> probabilities_;
};

}  // namespace attune
