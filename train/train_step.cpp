#include "attune/train/train_step.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <numeric>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/optim/clip.h"

namespace attune {
namespace {

bool all_finite(const std::vector<Param>& parameters) {
  return std::all_of(parameters.begin(), parameters.end(),
                     [](const Param& param) { return param.value.value().all_finite(); });
}

}  // namespace

BatchLoss add_gradients(const Seq2Seq& model, std::span<const Batch> batches,
                        const StepOptions& options) {
  const auto tokens = static_cast<double>(
      std::accumulate(batches.begin(), batches.end(), std::int64_t{0},
                      [](std::int64_t sum, const Batch& batch) { return sum + batch.tokens; }));
  BatchLoss sum = {0, 0};
  for (const Batch& batch : batches) {
    const std::vector<Batch> shards = shards_of(batch, suitable_shards(batch.sequences()));
    std::vector<double> right(shards.size());
    sum.loss += sharded_backward(std::ssize(shards), [&](std::int64_t i) {
      const Batch& shard = shards[static_cast<std::size_t>(i)];
      const double share = static_cast<double>(shard.tokens) / tokens;
      const auto [loss, logits] = model.forward(shard.source, shard,
                                                {.teacher_forcing = options.teacher_forcing,
                                                 .label_smoothing = options.label_smoothing,
                                                 .coverage_loss = options.coverage_loss});
      right[static_cast<std::size_t>(i)] = share * token_accuracy(logits, shard.target_output);
      return share * loss;
    });
    sum.accuracy += std::accumulate(right.begin(), right.end(), 0.0);
  }
  return sum;
}

StepResult train_step(const Seq2Seq& model, const Batch& batch, Optimizer& optimizer,
                      ParameterCopy& last_good, const StepOptions& options) {
  return train_step(model, std::span(&batch, 1), optimizer, last_good, options);
}

StepResult train_step(const Seq2Seq& model, std::span<const Batch> batches, Optimizer& optimizer,
                      ParameterCopy& last_good, const StepOptions& options) {
  const std::vector<Param> parameters = model.parameters();
  optimizer.zero_grad();
  const auto [loss, accuracy] = add_gradients(model, batches, options);
  if (std::isfinite(loss)) last_good.take();
  const double max_norm =
      options.clip_norm > 0 ? options.clip_norm : std::numeric_limits<double>::infinity();
  StepResult result{loss, accuracy, clip_grad_norm(parameters, max_norm), {}};
  bool good = std::isfinite(loss) && std::isfinite(result.gradient_norm);
  if (good) {
    optimizer.step();
    good = all_finite(parameters);
  }
  if (!good) {
    result.fault = first_fault(model);
    last_good.restore();
  }
  return result;
}

std::string first_fault(const Layer& model) {
  const std::vector<Param> parameters = model.parameters();
  for (const auto& [name, tensor] : parameters)
    if (!tensor.value().all_finite()) return fmt::format("the values of parameter '{}'", name);
  for (const auto& [name, tensor] : parameters)
    if (tensor.grad().defined() && !tensor.grad().all_finite())
      return fmt::format("the gradient of parameter '{}'", name);
  return "the loss itself";
}

}  // namespace attune
