#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace attune {

/// The least number of insertions, deletions and replacements of one token that turn `a` into `b`
/// (Levenshtein 1966). Time O(|a| |b|), memory O(|b|).
int edit_distance(std::span<const int> a, std::span<const int> b);

/// The index of the reference with the smallest edit distance to `predicted`, the first of those.
/// Throws Error if there is none.
std::size_t closest(std::span<const int> predicted, std::span<const std::vector<int>> references);

/// Adds up how well predictions match references, over sequences of token ids without padding and
/// without start and end tokens. Every share is a fraction, and 0 before anything was added.
class Scores {
 public:
  /// Counts one prediction.
  void add(std::span<const int> predicted, std::span<const int> reference);

  /// Counts one prediction against the closest() of several right answers. Throws Error if there is
  /// none.
  void add(std::span<const int> predicted, std::span<const std::vector<int>> references);

  /// Counts the alignment of one prediction: for each target position the source position of the
  /// heaviest weight, and the true one. Positions of `argmax` beyond the truth (the end token's,
  /// say) do not count; missing ones count as wrong. Where equal tokens cannot be told apart, as in
  /// sorting, `source` are those tokens, and a position that holds the true one's token is right.
  void add_alignment(std::span<const int> argmax, std::span<const int> truth,
                     std::span<const int> source = {});

  /// The number of predictions.
  std::int64_t sequences() const { return sequences_; }

  /// The share of predictions that equal their reference.
  double sequence_accuracy() const;

  /// The share of reference positions whose predicted token is equal.
  double token_accuracy() const;

  /// The sum of the edit distances over the sum of the reference lengths; can exceed 1.
  double token_error_rate() const;

  /// The share of target positions whose heaviest weight lies on the true source position; nothing
  /// if no alignment was added.
  std::optional<double> alignment_accuracy() const;

 private:
  std::int64_t sequences_ = 0, right_sequences_ = 0;
  std::int64_t tokens_ = 0, right_tokens_ = 0, edits_ = 0;
  std::int64_t aligned_ = 0, rightly_aligned_ = 0;
};

}  // namespace attune
