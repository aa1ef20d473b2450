#include "attune/layers/attention/multi_head_attention.h"

#include <algorithm>

#include "attune/autograd/ops/padding.h"
#include "attune/layers/attention/dot_score.h"

namespace attune {
namespace {

std::shared_ptr<AttentionScore> scaled_dot(std::int64_t features, std::int64_t heads) {
  const std::int64_t size = features / std::max<std::int64_t>(1, heads);
  return std::make_shared<DotScore>(
      DotScoreOptions{.query_size = size, .key_size = size, .scaled = true});
}

AttentionHeads heads_of(std::int64_t features, std::int64_t heads,
                        const MultiHeadAttentionOptions& options) {
  const std::int64_t key_size = options.key_size == 0 ? features : options.key_size;
  return {.count = heads,
          .features = features,
          .query_size = features,
          .key_size = key_size,
          .value_size = options.value_size == 0 ? key_size : options.value_size,
          .output_size = features,
          .bias = options.bias,
          .positions = options.positions,
          .layer = options.layer};
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t features, std::int64_t heads,
                                       const MultiHeadAttentionOptions& options)
    : Attention(scaled_dot(features, heads), std::make_shared<SoftmaxNormalizer>(),
                heads_of(features, heads, options)),
      features_(features) {}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Indices& lengths,
                                      const Mask& mask) const {
  const Tensor masked = mask_padding(x, lengths);
  return mask_padding(attend(masked, memorize(masked, lengths), {.mask = mask}).context, lengths);
}

}  // namespace attune
