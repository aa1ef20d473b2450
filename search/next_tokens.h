#pragma once

#include <cstdint>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// The probabilities of the next token of each hypothesis in a batch.
class NextTokens {
 public:
  /// From logits [R, V]. Errors: V is smaller than the number of special tokens; a logit is NaN.
  explicit NextTokens(const Tensor& logits);

  std::int64_t vocabulary() const { return logits_.size(1); }
  /// log softmax(logits[row])[token].
  double log_probability(std::int64_t row, int token) const;
  /// The `count` most probable tokens of those that may be written, the most probable first, in
  /// order of their ids in case of a tie; all of them if there are fewer.
  std::vector<int> most_probable(std::int64_t row, int count) const;
  /// The logits of a row.
  std::vector<double> logits(std::int64_t row) const;

 private:
  Tensor logits_;
  Tensor log_sums_;  // [R]: log sum exp of each row
};

/// Whether a search may write `token`: `</s>`, or one that is not special.
bool may_be_written(int token);

}  // namespace attune
