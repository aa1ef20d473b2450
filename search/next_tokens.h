#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attune/models/decoder.h"

namespace attune {

/// The probabilities of the next token of each hypothesis in a batch.
class NextTokens {
 public:
  /// Errors: the vocabulary is smaller than the number of special tokens.
  explicit NextTokens(const Prediction& prediction);

  /// Computes the logits of the given rows, if the decoder left that to its caller (see
  /// DecoderState::logits). The functions below may only be asked about rows that have logits.
  void compute(std::span<const std::int32_t> rows);
  /// The number of tokens that have a probability in a row.
  std::int64_t vocabulary(std::int64_t row) const {
    const Indices& sizes = copying_.tokens.vocabulary;
    return sizes.defined() ? sizes.at(row) : vocabulary_;
  }
  /// log softmax(logits[row])[token]. Errors: a logit of the row is NaN.
  double log_probability(std::int64_t row, int token) const;
  /// The `count` most probable tokens of those that may be written and are not `excluded`, the most
  /// probable first, in order of their ids in case of a tie; all of them if there are fewer.
  /// Errors: a logit of the row is NaN.
  std::vector<int> most_probable(std::int64_t row, int count,
                                 std::span<const int> excluded = {}) const;
  /// The logits of a row.
  std::vector<double> logits(std::int64_t row) const;
  /// Whether the model copies tokens of the source.
  bool can_copy() const { return copying_.weights.defined(); }
  /// Whether copying a token has more than half of its probability; see Hypothesis::copied.
  bool is_copied(std::int64_t row, int token) const;

 private:
  // The tokens with the `count` largest logits; sets the row's log sum.
  std::vector<int> largest(std::int64_t row, std::int64_t count) const;

  struct Row {
    Tensor logits = {};  // of several rows, of which this is row `index`
    std::int64_t index = 0;
    std::optional<double> log_sum = {};  // log sum exp, once it was asked for
  };
  const Row& at(std::int64_t row) const { return rows_[static_cast<std::size_t>(row)]; }

  LinearLogits linear_;
  Copying copying_;
  std::int64_t vocabulary_;
  mutable std::vector<Row> rows_;
};

/// Whether a search may write `token`: `</s>` or one that is not special, unless it is `excluded`.
bool may_be_written(int token, std::span<const int> excluded = {});

}  // namespace attune
