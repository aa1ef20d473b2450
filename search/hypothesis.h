#pragma once

#include <vector>

namespace attune {

/// A target that a search found for a source.
struct Hypothesis {
  /// Without `<s>` and `</s>`; may have ids beyond the vocabulary if the model copies tokens, see
  /// ExtendedVocabulary.
  std::vector<int> tokens = {};
  /// Attention weights of each token, [tokens, source length], row-major; see
  /// Prediction::alignment(). Empty without attention or SearchOptions::weights.
  std::vector<float> weights = {};
  /// Whether each token was copied from the source rather than generated: whether copying it had
  /// more than half of its probability. Empty if the model does not copy.
  std::vector<bool> copied = {};
  bool finished = false;  ///< whether it ended with `</s>` rather than at the length limit
  /// The natural logarithm of the probability that the model gives to the tokens and, if the target
  /// is finished, to `</s>`.
  double log_probability = 0;
  double score = 0;  ///< what hypotheses are ranked by; see SearchOptions
};

}  // namespace attune
