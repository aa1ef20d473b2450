#pragma once

#include <span>
#include <vector>

#include "attune/seq2seq/seq2seq_model.h"

namespace attune {

/// What a search found for one source.
struct Hypothesis {
  std::vector<int> tokens;  ///< without `<s>` and `</s>`
  /// [tokens, source length], row-major: where the decoder looked for each token. Empty without
  /// attention.
  std::vector<float> weights;
  bool finished = false;  ///< it ended with `</s>`, and not at the limit

  /// For each token the source position of the heaviest weight, the first of equal ones.
  std::vector<int> heaviest(std::size_t source_length) const;
};

/// The target of each source, by taking the most probable token at every step until `</s>` or
/// `max_length` tokens. Sources are read `batch_size` at a time; which ones share a batch makes no
/// difference to their targets. Nothing is recorded and nothing dropped, whatever the mode.
/// Errors: an empty source; an id outside of the vocabulary.
std::vector<Hypothesis> greedy_search(const Seq2SeqModel& model,
                                      std::span<const std::vector<int>> sources, int max_length,
                                      int batch_size = 64);

}  // namespace attune
