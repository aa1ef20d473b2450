#pragma once

#include <string>

#include "attune/data/batch.h"
#include "attune/models/seq2seq.h"
#include "attune/optim/optimizer.h"
#include "attune/train/parameter_copy.h"

namespace attune {

/// How the steps of a training are taken.
struct StepOptions {
  double clip_norm = 1;        ///< the largest norm of all gradients together; 0: any
  double teacher_forcing = 1;  ///< share of steps told the right token before, in [0, 1]
  double label_smoothing = 0;  ///< share of the targets spread over all tokens, in [0, 1)

  bool operator==(const StepOptions&) const = default;
};

/// What a model makes of a batch: its mean cross-entropy, in nats a token, and the share of its
/// tokens whose most probable token is right.
struct BatchLoss {
  double loss, accuracy;
};

/// Adds the gradients of a batch to the parameters' own, in shards that threads share out (see
/// sharded_backward()).
BatchLoss add_gradients(const Seq2Seq& model, const Batch& batch, const StepOptions& options);

/// What came of a step.
struct StepResult {
  double loss, accuracy;  ///< see BatchLoss
  double gradient_norm;   ///< before it was clipped
  std::string fault;      ///< where NaN or infinity showed first; empty: nowhere
  bool good() const { return fault.empty(); }
};

/// One step of a training: gradients of a batch, clipping, and an update.
///
///     optimizer.scale_learning_rate(schedule.factor(step));
///     const StepResult result = train_step(model, batch, optimizer, last_good, {.clip_norm = 1});
///
/// `last_good` takes in the parameters before the update when the loss is finite. Where loss,
/// gradients or updated parameters have NaN or infinity, the parameters are set back to it, and the
/// result says where that showed first.
StepResult train_step(const Seq2Seq& model, const Batch& batch, Optimizer& optimizer,
                      ParameterCopy& last_good, const StepOptions& options = {});

/// The first parameter whose value is NaN or infinite, or else whose gradient is, in words; "the
/// loss itself" if there is none.
std::string first_fault(const Layer& model);

}  // namespace attune
