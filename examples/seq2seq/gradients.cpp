#include "gradients.h"

#include <cstddef>
#include <numeric>
#include <vector>

#include "attune/autograd/all.h"

namespace seq2seq {

Outcome add_gradients(const attune::Seq2SeqModel& model, const attune::Batch& batch,
                      const TrainOptions& options) {
  const std::vector<attune::Batch> shards =
      attune::shards_of(batch, attune::suitable_shards(batch.source.lengths.elements()));
  std::vector<double> right(shards.size());
  const double loss = attune::sharded_backward(std::ssize(shards), [&](std::int64_t i) {
    const attune::Batch& shard = shards[static_cast<std::size_t>(i)];
    const double share = static_cast<double>(shard.tokens) / static_cast<double>(batch.tokens);
    const attune::Tensor logits = model(shard, options.teacher_forcing);
    right[static_cast<std::size_t>(i)] =
        share * attune::token_accuracy(logits, shard.target_output);
    return share * attune::cross_entropy(logits, shard.target_output, attune::kIgnore,
                                         options.label_smoothing);
  });
  return {loss, std::accumulate(right.begin(), right.end(), 0.0)};
}

}  // namespace seq2seq
