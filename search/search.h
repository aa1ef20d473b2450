#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "attune/models/seq2seq.h"
#include "attune/search/hypothesis.h"

namespace attune {

/// A source, and what applies to the search of its targets.
struct SearchInput {
  std::vector<int> source = {};  ///< token ids; not used by a language model
  int max_length = 0;            ///< the largest number of tokens of a target
  std::vector<int> prefix = {};  ///< the tokens that every target begins with; may have `<unk>`
  std::uint64_t stream = 0;      ///< sources with different numbers are sampled independently
};

/// Options of sampling. The token of each step is drawn from softmax(logits / temperature) over the
/// tokens that are left.
struct SamplingOptions {
  double temperature = 1;  ///< below 1: closer to the most probable tokens; above 1: more varied
  int top_k = 0;           ///< only the k most probable tokens are left (Fan et al. 2018); 0: all
  /// Only the most probable tokens are left, as few as have this probability together (nucleus
  /// sampling, Holtzman et al. 2020, sec. 3.1), of those that top_k leaves.
  double top_p = 1;
  std::uint64_t seed = 0;
};

/// Options of search().
struct SearchOptions {
  int beam = 1;                 ///< the number of hypotheses of each source; 1: greedy search
  double length_penalty = 0;    ///< alpha of length_penalty()
  double coverage_penalty = 0;  ///< beta of coverage_penalty()
  /// No n tokens in a row are written twice in a target (Paulus et al. 2018, sec. 2.5); 0: any may.
  int no_repeat_ngram = 0;
  int n_best = 1;  ///< the number of hypotheses to return, at most `beam`
  /// Samples n_best targets of each source instead; `beam` is not used.
  std::optional<SamplingOptions> sampling = {};
  bool weights = true;  ///< return attention weights; a Transformer is faster without
  int batch_size = 64;  ///< the largest number of sources decoded at the same time
};

/// Searches the targets of each source. Returns up to n_best hypotheses for each, those that
/// are finished before those that are not, and in order of
///
///     score = log_probability / length_penalty(n) + coverage_penalty(c)
///
/// where `</s>` counts as one of the n tokens of a finished target and as one of the steps of its
/// coverage c.
///
/// Greedy search takes the most probable token at every step, until `</s>`. Beam search extends the
/// `beam` most probable hypotheses by every token at every step, and keeps the most probable
/// results. A hypothesis is dropped once n_best finished ones have scores that none of its
/// extensions can exceed. Without a length penalty this ends the search, and the best target does
/// not depend on n_best. With a length penalty the score of a hypothesis may rise as it grows, so a
/// finished one also leaves the beam, which becomes narrower by one (Sutskever et al. 2014, sec.
/// 3.2); hypotheses that are dropped then leave room for others, so with another n_best the best
/// target may, rarely, be another one. Equally probable hypotheses are ordered by that of the
/// hypotheses which they extend, then by token id.
///
/// A target of max_length tokens is finished if the next step chooses `</s>`. `<pad>`, `<s>`
/// and `<unk>` are never written, except for `<unk>` in a prefix. With a whole target as its
/// prefix, a search gives the weights with which the model computes that target.
///
/// Sources are sorted by length and divided into batches, and each batch is decoded by one thread.
/// The result for a source does not depend on other sources, the batch size or the number of
/// threads. Runs under NoGrad and Eval.
/// Errors: an empty source or an id outside the vocabulary; an option out of its range; a prefix
/// longer than max_length or with other special tokens; a logit that is NaN.
std::vector<std::vector<Hypothesis>> search(const Seq2Seq& model,
                                            std::span<const SearchInput> inputs,
                                            const SearchOptions& options = {});

}  // namespace attune
