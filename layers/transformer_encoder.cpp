#include "attune/layers/transformer_encoder.h"

#include <utility>

#include "attune/autograd/ops/padding.h"

namespace attune {

namespace {

MultiHeadAttention make_attention(const TransformerOptions& options,
                                  const std::shared_ptr<const PositionalEncoding>& positions,
                                  std::int64_t layer) {
  return MultiHeadAttention(options.features, options.heads,
                            {.positions = positions,
                             .layer = layer,
                             .key_value_heads = options.key_value_heads,
                             .mixer = options.head_mixer,
                             .gated = options.gated_attention,
                             .dropout = options.attention_dropout});
}

}  // namespace

MultiHeadAttention make_self_attention(const TransformerOptions& options, std::int64_t layer) {
  return make_attention(options, options.positions, layer);
}

MultiHeadAttention make_cross_attention(const TransformerOptions& options, std::int64_t layer) {
  return make_attention(options, {}, layer);
}

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerOptions& options,
                                                 std::int64_t layer)
    : self_attention_(child("self_attention", make_self_attention(options, layer))),
      feed_forward_(child("feed_forward",
                          FeedForward({options.features, options.feed_forward, options.features},
                                      options.activation, options.dropout))),
      around_attention_(child("norm1", make_norm_layer(options.norm_layer, options.features)),
                        options.dropout, options.norm_first),
      around_feed_forward_(child("norm2", make_norm_layer(options.norm_layer, options.features)),
                           options.dropout, options.norm_first) {}

Tensor TransformerEncoderLayer::operator()(Tensor x, const Indices& lengths,
                                           const Mask& mask) const {
  const Tensor masked = mask_padding(std::move(x), lengths);
  const Tensor attended = around_attention_(masked, [&](const Tensor& y) {
    // Padding of y is finite, though not 0, and its gradient is 0, so y need not be masked again.
    Memory memory = self_attention_.memorize(y);
    memory.lengths = lengths;
    return self_attention_.attend(y, memory, {.mask = mask}).context;
  });
  return mask_padding(around_feed_forward_(attended, feed_forward_), lengths);
}

TransformerEncoder::TransformerEncoder(const TransformerOptions& options, int layers) {
  ATTUNE_CHECK(layers >= 1, "TransformerEncoder: {} layers; expected at least 1", layers);
  if (options.positions && !options.positions->parameters().empty())
    child("positions", options.positions);
  for (int i = 0; i < layers; ++i)
    layers_.push_back(child(fmt::format("layer{}", i), TransformerEncoderLayer(options, i)));
  if (options.norm_first)
    norm_ = child("norm", make_norm_layer(options.norm_layer, options.features));
}

Tensor TransformerEncoder::operator()(Tensor x, const Indices& lengths, const Mask& mask) const {
  for (const TransformerEncoderLayer& layer : layers_) x = layer(std::move(x), lengths, mask);
  return norm_ ? mask_padding((*norm_)(x), lengths) : x;
}

}  // namespace attune
