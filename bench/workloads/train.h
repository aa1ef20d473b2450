#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/layers/layer.h"
#include "attune/optim/adam.h"
#include "workloads.h"

inline attune::Indices random_tokens(std::int64_t vocabulary, std::int64_t steps,
                                     std::int64_t batch) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(steps * batch));
  for (auto& id : ids) id = static_cast<std::int32_t>(attune::generator().below(vocabulary));
  return attune::Indices(ids, {steps, batch});
}

/// Training steps of a model, with the batch split into shards. `target` [T + 1, B]
/// holds the tokens of the input and, a step later, those to predict. `logits(first, count, input)`
/// are [T, count, V] of the columns from `first`, for their `input` [T, count].
template <typename Logits>
std::function<double()> training(const attune::Layer& model, const attune::Indices& target,
                                 std::int64_t shards, Logits logits) {
  using namespace attune;
  const std::int64_t steps = target.shape()[0] - 1, batch = target.shape()[1];
  ATTUNE_CHECK(batch % shards == 0, "training: a batch of {} does not divide into {} shards", batch,
               shards);
  const auto optimizer =
      std::make_shared<Adam>(model.parameters(), AdamOptions{.learning_rate = 1e-3});
  return [=] {
    optimizer->zero_grad();
    const double loss = sharded_backward(shards, [&](std::int64_t shard) {
      const std::int64_t count = batch / shards, first = shard * count;
      const Indices ids = target.columns(first, count);
      return cross_entropy(logits(first, count, ids.block(0, steps)), ids.block(1, steps)) *
             (1.0 / static_cast<double>(shards));
    });
    optimizer->step();
    return loss;
  };
}

/// Training steps of a model that maps source [S, B] and target_input [T, B] to logits [T, B, V].
template <typename Model, typename Sizes>
bench::Workload train(const Sizes& n, std::int64_t shards) {
  const Model model(n);
  const attune::Indices source = random_tokens(n.vocabulary, n.length, n.batch);
  const attune::Indices target = random_tokens(n.vocabulary, n.length + 1, n.batch);
  return {2 * n.batch * n.length,
          training(model, target, shards,
                   [=](std::int64_t first, std::int64_t count, const attune::Indices& input) {
                     return model(source.columns(first, count), input);
                   })};
}
