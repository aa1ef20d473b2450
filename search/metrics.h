#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace attune {

/// The minimum number of insertions, deletions and substitutions of a token that turn `a` into `b`
/// (Levenshtein 1966). Time O(|a| |b|), memory O(|b|).
int edit_distance(std::span<const int> a, std::span<const int> b);

/// The index of the reference with the smallest edit distance to `predicted`, the first in case of
/// a tie. Errors: no references.
std::size_t closest(std::span<const int> predicted, std::span<const std::vector<int>> references);

/// Accumulates metrics of predictions against references, which are sequences of token ids without
/// padding, start and end tokens. Accuracies and rates are fractions, and 0 before the first add().
class Scores {
 public:
  /// Counts one prediction.
  void add(std::span<const int> predicted, std::span<const int> reference);

  /// Counts one prediction against the closest() of several references. Errors: no references.
  void add(std::span<const int> predicted, std::span<const std::vector<int>> references);

  /// The number of predictions.
  std::int64_t sequences() const { return sequences_; }

  /// The fraction of predictions that equal their reference.
  double sequence_accuracy() const;

  /// The fraction of reference positions at which the prediction has the same token.
  double token_accuracy() const;

  /// The sum of the edit distances divided by the sum of the reference lengths; can exceed 1.
  double token_error_rate() const;

 private:
  std::int64_t sequences_ = 0, right_sequences_ = 0;
  std::int64_t tokens_ = 0, right_tokens_ = 0, edits_ = 0;
};

}  // namespace attune
