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

void TransformerOptions::check_mixer() const {
  ATTUNE_CHECK(has_self_attention() || !positions || !positions->acts_in_attention(),
               "sequence mixer '{}' has no scores that these positions could change; use "
               "sinusoidal, learned or none",
               sequence_mixer);
}

MultiHeadAttention make_self_attention(const TransformerOptions& options, std::int64_t layer) {
  return make_attention(options, options.positions, layer);
}

MultiHeadAttention make_cross_attention(const TransformerOptions& options, std::int64_t layer) {
  return make_attention(options, {}, layer);
}

TransformerEncoderLayer::TransformerEncoderLayer(const TransformerOptions& options,
                                                 std::int64_t layer)
    : self_attention_(options.has_self_attention()
                          ? child("self_attention", make_self_attention(options, layer))
                          : std::optional<MultiHeadAttention>()),
      mixer_(options.has_self_attention()
                 ? std::optional<BidirectionalMixer>()
                 : child("mixer",
                         BidirectionalMixer(options.sequence_mixer, options.mixer_options()))),
      feed_forward_(child("feed_forward",
                          FeedForward({options.features, options.feed_forward, options.features},
                                      options.activation, options.dropout))),
      around_attention_(child("norm1", make_norm_layer(options.norm_layer, options.features)),
                        options.dropout, options.norm_first),
      around_feed_forward_(child("norm2", make_norm_layer(options.norm_layer, options.features)),
                           options.dropout, options.norm_first) {
  options.check_mixer();
}

Tensor TransformerEncoderLayer::operator()(Tensor x, const Indices& lengths,
                                           const Mask& mask) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(self_attention_ || mask.is_empty(),
               "TransformerEncoderLayer: a mask is given, but its mixer has no scores to hide");
  const Tensor masked = mask_padding(std::move(x), lengths);
  const Tensor attended = around_attention_(masked, [&](const Tensor& y) {
    if (mixer_) return (*mixer_)(y, lengths);
    // Padding of y is finite, though not 0, and its gradient is 0, so y need not be masked again.
    Memory memory = self_attention_->memorize(y);
    memory.lengths = lengths;
    return self_attention_->attend(y, memory, {.mask = mask}).context;
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
  const LayerScope scope(*this);
  for (const TransformerEncoderLayer& layer : layers_) x = layer(std::move(x), lengths, mask);
  return norm_ ? mask_padding((*norm_)(x), lengths) : x;
}

}  // namespace attune
