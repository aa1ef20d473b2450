#pragma once

#include <memory>
#include <vector>

#include "attune/autograd/all.h"
#include "attune/optim/adam.h"
#include "workloads.h"

inline attune::Indices random_tokens(std::int64_t vocabulary, std::int64_t steps,
                                     std::int64_t batch) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(steps * batch));
  for (auto& id : ids) id = static_cast<std::int32_t>(attune::generator().below(vocabulary));
  return attune::Indices(ids, {steps, batch});
}

/// Training steps of a model that maps source [S, B] and target_input [T, B] to logits [T, B, V],
/// with the batch split into shards.
template <typename Model, typename Sizes>
bench::Workload train(const Sizes& n, std::int64_t shards) {
  using namespace attune;
  ATTUNE_CHECK(n.batch % shards == 0, "train: a batch of {} does not divide into {} shards",
               n.batch, shards);
  const Model model(n);
  const auto optimizer =
      std::make_shared<Adam>(model.parameters(), AdamOptions{.learning_rate = 1e-3});
  const Indices source = random_tokens(n.vocabulary, n.length, n.batch);
  const Indices target = random_tokens(n.vocabulary, n.length + 1, n.batch);
  return {2 * n.batch * n.length, [=] {
            optimizer->zero_grad();
            const double loss = sharded_backward(shards, [&](std::int64_t shard) {
              const std::int64_t count = n.batch / shards, first = shard * count;
              const Indices ids = target.columns(first, count);
              const Tensor logits = model(source.columns(first, count), ids.block(0, n.length));
              return cross_entropy(logits, ids.block(1, n.length)) * (1.0 / shards);
            });
            optimizer->step();
            return loss;
          }};
}
