#pragma once

#include <span>
#include <vector>

#include "attune/data/batch.h"
#include "attune/models/seq2seq.h"

namespace attune {

/// The log-probability of a given target.
struct TargetProbability {
  /// log p(y_t | y_1 ... y_{t-1}, source) of each token, and of `</s>` after the last one.
  std::vector<double> tokens;
  double sum = 0;  ///< log p(y | source), including `</s>`
};

/// The log-probability of the target of each example, given its source (forced decoding): that of a
/// finished Hypothesis with these tokens. Sources are not used by a language model. Runs under
/// NoGrad and Eval.
/// Errors: an empty source; an id outside the vocabulary; a batch size below 1.
std::vector<TargetProbability> forced_decoding(const Seq2Seq& model,
                                               std::span<const Example> examples,
                                               int batch_size = 64);

/// The attention weights with which a model computes a given target, of all heads: [H, T, S] for
/// each layer with attention to the source, from the first layer to the last. (A Hypothesis has the
/// last layer's, averaged over its heads.) Empty without attention or without tokens. Runs under
/// NoGrad and Eval.
/// Errors: the model is a language model; an empty source; an id outside the vocabulary.
std::vector<Tensor> attention_weights(const Seq2Seq& model, const Example& example);

}  // namespace attune
