#include "attune/layers/transformer_decoder.h"

#include <utility>

#include "attune/autograd/ops/padding.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

TransformerDecoderLayer::TransformerDecoderLayer(const TransformerOptions& options,
                                                 bool cross_attention, std::int64_t layer)
    : self_attention_(options.has_self_attention()
                          ? child("self_attention", make_self_attention(options, layer))
                          : std::optional<MultiHeadAttention>()),
      mixer_(options.has_self_attention()
                 ? nullptr
                 : child("mixer",
                         make_sequence_mixer(options.sequence_mixer, options.mixer_options()))),
      cross_attention_(cross_attention
                           ? child("cross_attention", make_cross_attention(options, layer))
                           : std::optional<MultiHeadAttention>()),
      feed_forward_(child("feed_forward",
                          FeedForward({options.features, options.feed_forward, options.features},
                                      options.activation, options.dropout))),
      around_self_(child("norm1", make_norm_layer(options.norm_layer, options.features)),
                   options.dropout, options.norm_first),
      around_cross_(cross_attention ? Residual(child("norm2", make_norm_layer(options.norm_layer,
                                                                              options.features)),
                                               options.dropout, options.norm_first)
                                    : std::optional<Residual>()),
      around_feed_forward_(child(cross_attention ? "norm3" : "norm2",
                                 make_norm_layer(options.norm_layer, options.features)),
                           options.dropout, options.norm_first) {
  options.check_mixer();
}

Memory TransformerDecoderLayer::memorize(const Tensor& source, const Indices& lengths) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(cross_attention_,
               "TransformerDecoderLayer: it was made without cross-attention, so it has no source");
  return cross_attention_->memorize(source, lengths);
}

Tensor TransformerDecoderLayer::attend_to_target(const Tensor& x, SeenPositions& seen,
                                                 const Mask& mask) const {
  if (self_attention_) {
    seen.memory = self_attention_->append(seen.memory, x);
    return self_attention_->attend(x, seen.memory, {.mask = Mask::causal() & mask}).context;
  }
  ATTUNE_CHECK(
      mask.is_empty(),
      "TransformerDecoderLayer: a mask of the target is given, but its mixer has no scores "
      "to hide");
  Mixed mixed = (*mixer_)(x, seen.mixer);
  seen.mixer = std::move(mixed.state);
  return mixed.output;
}

TransformerDecoderLayerResult TransformerDecoderLayer::operator()(
    const Tensor& x, const Memory& source, const SeenPositions& seen,
    const DecodeOptions& options) const {
  const LayerScope scope(*this);
  TransformerDecoderLayerResult result{{}, seen, {}};
  result.output = around_self_(
      x, [&](const Tensor& y) { return attend_to_target(y, result.seen, options.mask); });
  recorded(AttentionStage::query, "x", result.output);
  if (cross_attention_)
    result.output = (*around_cross_)(result.output, [&](const Tensor& y) {
      const AttentionResult found = cross_attention_->attend(
          y, source, {.mask = options.source_mask, .weights = options.weights});
      result.weights = found.weights;
      return found.context;
    });
  recorded(AttentionStage::combine, "x + c", result.output);
  result.output = around_feed_forward_(result.output, feed_forward_);
  recorded(AttentionStage::combine, "x", result.output);
  recorded(AttentionStage::repeat, "k", result.seen.memory.keys);
  recorded(AttentionStage::repeat, "S", result.seen.mixer.memory);
  return result;
}

TransformerDecoder::TransformerDecoder(const TransformerOptions& options, int layers,
                                       bool cross_attention)
    : cross_attention_(cross_attention) {
  ATTUNE_CHECK(layers >= 1, "TransformerDecoder: {} layers; expected at least 1", layers);
  if (options.positions && !options.positions->parameters().empty())
    child("positions", options.positions);
  for (int i = 0; i < layers; ++i)
    layers_.push_back(
        child(fmt::format("layer{}", i), TransformerDecoderLayer(options, cross_attention, i)));
  if (options.norm_first)
    norm_ = child("norm", make_norm_layer(options.norm_layer, options.features));
}

std::vector<Memory> TransformerDecoder::memorize(const Tensor& source,
                                                 const Indices& lengths) const {
  const LayerScope scope(*this);
  const Tensor masked = mask_padding(source, lengths);  // once, for all layers
  std::vector<Memory> memories;
  for (const TransformerDecoderLayer& layer : layers_)
    memories.push_back(layer.memorize(masked, lengths));
  return memories;
}

TransformerDecoderResult TransformerDecoder::operator()(const Tensor& x,
                                                        const std::vector<Memory>& source,
                                                        const std::vector<SeenPositions>& seen,
                                                        const DecodeOptions& options) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(cross_attention_ || source.empty(),
               "TransformerDecoder: {} memories of a source given; expected none, as it was made "
               "without cross-attention",
               source.size());
  ATTUNE_CHECK((!cross_attention_ || source.size() == layers_.size()) &&
                   (seen.empty() || seen.size() == layers_.size()),
               "TransformerDecoder: {} memories of the source and {} of what was seen; expected "
               "{}, one for each layer (and none seen at first)",
               source.size(), seen.size(), layers_.size());
  TransformerDecoderResult result{x, {}, {}};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    TransformerDecoderLayerResult of_layer =
        layers_[i](result.output, cross_attention_ ? source[i] : Memory{},
                   seen.empty() ? SeenPositions{} : seen[i], options);
    result.output = of_layer.output;
    result.seen.push_back(std::move(of_layer.seen));
    if (options.weights && cross_attention_) result.weights.push_back(of_layer.weights);
  }
  if (norm_) result.output = (*norm_)(result.output);
  return result;
}

}  // namespace attune
