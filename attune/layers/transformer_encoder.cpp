#include "attune/layers/transformer_encoder.h"

namespace attune {

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerOptions& options)
    : self_attention_(child("self_attention", MultiHeadAttention(options.features, options.heads))),
      feed_forward_(child("feed_forward",
                          FeedForward({options.features, options.feed_forward, options.features},
                                      options.activation, options.dropout))),
      around_attention_(child("norm1", LayerNorm(options.features)), options.dropout,
                        options.norm_first),
      around_feed_forward_(child("norm2", LayerNorm(options.features)), options.dropout,
                           options.norm_first) {}

Tensor TransformerEncoderLayer::operator()(const Tensor& x, const Indices& lengths) const {
  const Tensor attended =
      around_attention_(x, [&](const Tensor& y) { return self_attention_(y, lengths); });
  return around_feed_forward_(attended, feed_forward_);
}

TransformerEncoder::TransformerEncoder(const TransformerOptions& options, int layers) {
  ATTUNE_CHECK(layers >= 1, "TransformerEncoder: {} layers asked for; it needs at least 1", layers);
  for (int i = 0; i < layers; ++i)
    layers_.push_back(child(fmt::format("layer{}", i), TransformerEncoderLayer(options)));
  if (options.norm_first) norm_ = child("norm", LayerNorm(options.features));
}

Tensor TransformerEncoder::operator()(const Tensor& x, const Indices& lengths) const {
  Tensor y = x;
  for (const TransformerEncoderLayer& layer : layers_) y = layer(y, lengths);
  return norm_ ? (*norm_)(y) : y;
}

}  // namespace attune
