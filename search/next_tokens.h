#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "attune/models/decoder.h"

namespace attune {

/// The probabilities of the next token of each hypothesis in a batch.
class NextTokens {
 public:
  /// Errors: the vocabulary is smaller than the number of special tokens.
  explicit NextTokens(const Prediction& prediction);

  /// The number of tokens that have a probability in a row.
  std::int64_t vocabulary(std::int64_t row) const {
    const Indices& sizes = copying_.tokens.vocabulary;
    return sizes.defined() ? sizes.at(row) : logits_.size(1);
  }
  /// log softmax(logits[row])[token]. Errors: a logit of the row is NaN.
  double log_probability(std::int64_t row, int token) const;
  /// The `count` most probable tokens of those that may be written, the most probable first, in
  /// order of their ids in case of a tie; all of them if there are fewer. Errors: a logit of the
  /// row is NaN.
  std::vector<int> most_probable(std::int64_t row, int count) const;
  /// The logits of a row.
  std::vector<double> logits(std::int64_t row) const;
  /// Whether the model copies tokens of the source.
  bool can_copy() const { return copying_.weights.defined(); }
  /// Whether copying a token has more than half of its probability; see Hypothesis::copied.
  bool is_copied(std::int64_t row, int token) const;

 private:
  // The tokens with the `count` largest logits; sets the row's log sum.
  std::vector<int> largest(std::int64_t row, std::int64_t count) const;

  Tensor logits_;
  Copying copying_;
  mutable std::vector<std::optional<double>> log_sums_;  // log sum exp of the rows asked for so far
};

/// Whether a search may write `token`: `</s>`, or one that is not special.
bool may_be_written(int token);

}  // namespace attune
