#pragma once

#include "attune/data/all.h"
#include "attune/models/all.h"
#include "options.h"

namespace seq2seq {

/// What a model makes of a batch in training: its loss, and the share of tokens that are right.
struct Outcome {
  double loss, accuracy;
};

/// Adds the gradients of a batch to the parameters', in shards that threads share out.
Outcome add_gradients(const attune::Seq2Seq& model, const attune::Batch& batch,
                      const TrainOptions& options);

}  // namespace seq2seq
