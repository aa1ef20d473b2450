#include "gradients.h"

#include <cstddef>
#include <numeric>
#include <vector>

#include "attune/autograd/all.h"

namespace seq2seq {

Outcome add_gradients(const attune::Seq2Seq& model, const attune::Batch& batch,
                      const TrainOptions& options) {
  const std::vector<attune::Batch> shards =
      attune::shards_of(batch, attune::suitable_shards(batch.source.lengths.elements()));
  std::vector<double> right(shards.size());
  const double total = attune::sharded_backward(std::ssize(shards), [&](std::int64_t i) {
    const attune::Batch& shard = shards[static_cast<std::size_t>(i)];
    const double share = static_cast<double>(shard.tokens) / static_cast<double>(batch.tokens);
    const auto [loss, logits] = model.forward(
        shard.source, shard,
        {.teacher_forcing = options.teacher_forcing, .label_smoothing = options.label_smoothing});
    right[static_cast<std::size_t>(i)] =
        share * attune::token_accuracy(logits, shard.target_output);
    return share * loss;
  });
  return {total, std::accumulate(right.begin(), right.end(), 0.0)};
}

}  // namespace seq2seq
