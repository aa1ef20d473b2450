#include "attune/layers/attention/multi_head_attention.h"

#include <algorithm>

#include "attune/autograd/ops/padding.h"
#include "attune/layers/attention/dot_score.h"

namespace attune {
namespace {

// The scaled dot product of one head, or of half of it in differential attention.
std::shared_ptr<AttentionScore> scaled_dot(const AttentionHeads& heads) {
  const std::int64_t count = heads.mixer ? heads.mixer->score_heads(heads.count) : heads.count;
  const std::int64_t size = heads.features / std::max<std::int64_t>(1, count);
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
          .layer = options.layer,
          .key_value_heads = options.key_value_heads,
          .mixer = make_head_mixer(
              options.mixer,
              {.heads = heads, .features = features, .layer = options.layer, .arguments = {}}),
          .gated = options.gated,
          .dropout = options.dropout};
}

}  // namespace

MultiHeadAttention::MultiHeadAttention(std::int64_t features, std::int64_t heads,
                                       const MultiHeadAttentionOptions& options)
    : MultiHeadAttention(heads_of(features, heads, options)) {}

MultiHeadAttention::MultiHeadAttention(const AttentionHeads& heads)
    : Attention(scaled_dot(heads), std::make_shared<SoftmaxNormalizer>(), heads),
      features_(heads.features) {}

Tensor MultiHeadAttention::operator()(const Tensor& x, const Indices& lengths,
                                      const Mask& mask) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_padding(x, lengths);
  return mask_padding(attend(masked, memorize(masked, lengths), {.mask = mask}).context, lengths);
}

}  // namespace attune
