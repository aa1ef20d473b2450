#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "attune/data/batch.h"
#include "attune/models/seq2seq.h"
#include "attune/optim/optimizer.h"
#include "attune/train/parameter_copy.h"

namespace attune {

/// Options of train_step().
struct StepOptions {
  double clip_norm = 1;        ///< maximum joint norm of all gradients; 0: no clipping
  double teacher_forcing = 1;  ///< probability of teacher forcing, in [0, 1]: see Targets
  double label_smoothing = 0;  ///< in [0, 1): see cross_entropy()
  double coverage_loss = 0;    ///< lambda of the coverage loss: see Decoded::penalty

  bool operator==(const StepOptions&) const = default;
};

/// The loss of a batch (see Seq2Seq::loss()), and the fraction of its tokens for which the most
/// probable token is correct.
struct BatchLoss {
  double loss, accuracy;
};

/// Adds the gradients of the mean loss of several batches, per token, to those of the parameters;
/// computed batch by batch, each in shards on several threads (see sharded_backward()).
BatchLoss add_gradients(const Seq2Seq& model, std::span<const Batch> batches,
                        const StepOptions& options);

/// The result of train_step().
struct StepResult {
  double loss, accuracy;  ///< see BatchLoss
  double gradient_norm;   ///< before clipping
  std::string fault;      ///< where NaN or infinity was found first; empty: nowhere
  bool good() const { return fault.empty(); }
};

/// One step of a training: gradients of a batch, or of several (gradient accumulation), clipping,
/// and an update.
///
///     optimizer.scale_learning_rate(schedule.factor(step));
///     const StepResult result = train_step(model, batch, optimizer, last_good, {.clip_norm = 1});
///
/// If the loss is finite, `last_good` takes a copy of the parameters before the update. If the
/// loss, a gradient or an updated parameter is NaN or infinite, the parameters are reset to
/// `last_good`, and the result says where this was found first.
StepResult train_step(const Seq2Seq& model, std::span<const Batch> batches, Optimizer& optimizer,
                      ParameterCopy& last_good, const StepOptions& options = {});
StepResult train_step(const Seq2Seq& model, const Batch& batch, Optimizer& optimizer,
                      ParameterCopy& last_good, const StepOptions& options = {});

/// A description of the first parameter whose value, or otherwise whose gradient, is NaN or
/// infinite; "the loss itself" if there is none.
std::string first_fault(const Layer& model);

}  // namespace attune
