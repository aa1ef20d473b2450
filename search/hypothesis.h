#pragma once

#include <vector>

namespace attune {

/// A target that a search found for a source.
struct Hypothesis {
  std::vector<int> tokens = {};  ///< without `<s>` and `</s>`
  /// Attention weights of each token, [tokens, source length], row-major; see
  /// Prediction::alignment(). Empty without attention or SearchOptions::weights.
  std::vector<float> weights = {};
  bool finished = false;  ///< whether it ended with `</s>` rather than at the length limit
  /// The natural logarithm of the probability that the model gives to the tokens and, if the target
  /// is finished, to `</s>`.
  double log_probability = 0;
  double score = 0;  ///< what hypotheses are ranked by; see SearchOptions
};

}  // namespace attune
