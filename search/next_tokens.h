#pragma once

#include <cstdint>
#include <vector>

#include "attune/models/decoder.h"

namespace attune {

/// The probabilities of the next token of each hypothesis in a batch.
class NextTokens {
 public:
  /// Errors: the vocabulary is smaller than the number of special tokens; a logit is NaN.
  explicit NextTokens(const Prediction& prediction);

  /// The number of tokens that have a probability in a row.
  std::int64_t vocabulary(std::int64_t row) const {
    const Indices& sizes = copying_.tokens.vocabulary;
    return sizes.defined() ? sizes.at(row) : logits_.size(1);
  }
  /// log softmax(logits[row])[token].
  double log_probability(std::int64_t row, int token) const;
  /// The `count` most probable tokens of those that may be written, the most probable first, in
  /// order of their ids in case of a tie; all of them if there are fewer.
  std::vector<int> most_probable(std::int64_t row, int count) const;
  /// The logits of a row.
  std::vector<double> logits(std::int64_t row) const;
  /// Whether the model copies tokens of the source.
  bool can_copy() const { return copying_.weights.defined(); }
  /// Whether copying a token has more than half of its probability; see Hypothesis::copied.
  bool is_copied(std::int64_t row, int token) const;

 private:
  Tensor logits_;
  Copying copying_;
  Tensor log_sums_;  // [R]: log sum exp of each row
};

/// Whether a search may write `token`: `</s>`, or one that is not special.
bool may_be_written(int token);

}  // namespace attune
