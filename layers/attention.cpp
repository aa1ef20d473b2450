#include "attune/layers/attention.h"

#include <algorithm>

#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/softmax.h"

namespace attune {

Attention::Attention(std::shared_ptr<AttentionScore> score)
    : score_(child("score", std::move(score))) {}

Attention::Attention(std::string_view score, std::int64_t query_size, std::int64_t key_size,
                     std::int64_t hidden)
    : Attention(make_score(score, query_size, key_size, hidden)) {}

Memory Attention::memorize(const Tensor& keys, const Indices& lengths) const {
  return memorize(keys, keys, lengths);
}

Memory Attention::memorize(const Tensor& keys, const Tensor& values, const Indices& lengths) const {
  ATTUNE_CHECK(keys.rank() == 3 && values.rank() == 3 && keys.size(0) == values.size(0) &&
                   keys.size(1) == values.size(1),
               "attention: keys {} and values {} do not go together; expected [S, B, K] and "
               "[S, B, V] with the same S and B",
               keys.shape(), values.shape());
  const std::int64_t source = keys.size(0), batch = keys.size(1);
  if (lengths.defined()) {
    ATTUNE_CHECK(lengths.shape() == Shape({batch}),
                 "attention: lengths have shape {}; expected one for each of the {} sequences",
                 lengths.shape(), batch);
    for (const std::int32_t length : lengths.to_vector())
      ATTUNE_CHECK(length >= 0 && length <= source,
                   "attention: length {} is outside [0, {}], the number of source positions",
                   length, source);
  }
  // The projection's weight would take padding into its gradient: see mask_padding().
  const Tensor masked = mask_padding(keys, lengths);
  return {score_->project_keys(masked), &values == &keys ? masked : mask_padding(values, lengths),
          lengths};
}

AttentionResult Attention::attend(const Tensor& query, const Memory& memory) const {
  const Tensor scores = (*score_)(query, memory.keys);
  const Tensor weights = softmax(scores, /*axis=*/1, /*mask:*/ memory.lengths);
  return {weighted_sum(weights, memory.values), weights};
}

}  // namespace attune
