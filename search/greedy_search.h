#pragma once

#include <span>
#include <vector>

#include "attune/models/seq2seq.h"

namespace attune {

/// The result of a search for one source.
struct Hypothesis {
  std::vector<int> tokens;  ///< without `<s>` and `</s>`
  /// Attention weights of each token, [tokens, source length], row-major; see
  /// Prediction::alignment(). Empty without attention.
  std::vector<float> weights;
  bool finished = false;  ///< whether it ended with `</s>` rather than at the length limit

  /// The source position with the largest weight for each token, the first in case of a tie; empty
  /// without attention. Errors: the number of weights is not a multiple of `source_length`.
  std::vector<int> argmax(std::size_t source_length) const;
};

/// Generates the target of each source by taking the most probable token at every step, until
/// `</s>`. The target of source i has at most max_lengths[i] tokens; at the limit, one more step
/// checks whether `</s>` follows, so that a target of exactly that length counts as finished.
/// `<pad>`, `<s>` and `<unk>` are never generated. Sources are processed in batches of
/// `batch_size`, in order; a target does not depend on the other sources in its batch. Runs under
/// NoGrad and Eval.
/// Errors: an empty source; an id outside the vocabulary; a batch size below 1; the number of
/// limits is not that of the sources; a limit below 0; a logit that is NaN.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources,
                                      std::span<const int> max_lengths, int batch_size = 64);
/// The same with one limit for all sources.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size = 64);

}  // namespace attune
