#pragma once

#include <span>
#include <vector>

#include "attune/models/seq2seq.h"

namespace attune {

/// What a search found for one source.
struct Hypothesis {
  std::vector<int> tokens;  ///< without `<s>` and `</s>`
  /// [tokens, source length], row-major: where the decoder looked for each token; see
  /// Prediction::alignment(). Empty without attention.
  std::vector<float> weights;
  bool finished = false;  ///< it ended with `</s>`; otherwise it was cut at the limit

  /// For each token the source position of the heaviest weight, the first of equal ones.
  /// Errors: the weights do not divide into rows of `source_length`.
  std::vector<int> argmax(std::size_t source_length) const;
};

/// The target of each source, by taking the most probable token at every step until `</s>`. Source
/// i gets at most max_lengths[i] tokens; after so many, one more step asks whether `</s>` comes
/// next, so that a target of exactly that length counts as finished. `<pad>`, `<s>` and `<unk>` are
/// never written; the most probable other token is. Sources are read `batch_size` at a
/// time; targets do not depend on which sources share a batch. Runs under NoGrad and Eval.
/// Errors: an empty source; an id outside of the vocabulary; not one limit a source, or one below
/// 0; a logit that is NaN.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources,
                                      std::span<const int> max_lengths, int batch_size = 64);
/// The same with one limit for all sources.
std::vector<Hypothesis> greedy_search(const Seq2Seq& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size = 64);

}  // namespace attune
