#include "attune/models/transformer_encoder_model.h"

#include <cmath>
#include <utility>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/padding.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

TransformerOptions transformer_options(const EncoderDecoderOptions& options) {
  ATTUNE_CHECK(options.norm == "pre" || options.norm == "post",
               "transformer: norm is '{}'; expected pre or post", options.norm);
  return {.features = options.embedding_size(),
          .heads = options.head_count(),
          .feed_forward = options.feed_forward_size(),
          .activation = options.activation,
          .dropout = options.dropout,
          .norm_first = options.norm == "pre",
          .norm_layer = options.norm_layer,
          .key_value_heads = options.key_value_head_count(),
          .head_mixer = options.head_mixer,
          .gated_attention = options.gated_attention,
          .attention_dropout = options.attention_dropout,
          .sequence_mixer = options.sequence_mixer};
}

std::shared_ptr<PositionalEncoding> make_positions(const std::string& name,
                                                   const TransformerOptions& options, int layers,
                                                   bool bidirectional) {
  return make_positional_encoding(name, {.features = options.features,
                                         .heads = score_heads(options.head_mixer, options.heads),
                                         .layers = layers,
                                         .bidirectional = bidirectional});
}

TransformerOptions with_positions(TransformerOptions options,
                                  std::shared_ptr<const PositionalEncoding> positions) {
  options.positions = std::move(positions);
  return options;
}

Embedding scaled_embedding(std::int64_t vocabulary, std::int64_t features) {
  return Embedding(vocabulary, features, normal(0, 1 / std::sqrt(static_cast<double>(features))));
}

Tensor embed_scaled(const Embedding& embedding, const Indices& tokens) {
  return embedding(tokens) * std::sqrt(static_cast<double>(embedding.features()));
}

TransformerEncoderModel::TransformerEncoderModel(const TransformerEncoderModelOptions& options)
    : size_(options.transformer.features),
      embedding_(options.vocabulary == 0
                     ? std::optional<Embedding>()
                     : child("embedding", scaled_embedding(options.vocabulary, size_))),
      input_(embedding_ ? std::optional<Linear>()
                        : child("input", Linear(options.frame_size, size_))),
      positions_(child("positions", make_positions(options.positions, options.transformer,
                                                   options.layers, /*bidirectional=*/true))),
      dropout_(options.transformer.dropout),
      transformer_(child(
          "transformer",
          TransformerEncoder(with_positions(options.transformer, positions_), options.layers))) {}

Encoded TransformerEncoderModel::operator()(const Source& source) const {
  const LayerScope scope(*this);
  const Sources* tokens = std::get_if<Sources>(&source);
  ATTUNE_CHECK((tokens != nullptr) == embedding_.has_value(),
               "TransformerEncoderModel: it was given {} but made for {}; its option `vocabulary` "
               "says which",
               tokens ? "tokens" : "frames", tokens ? "frames" : "tokens");
  const Indices& lengths = tokens ? tokens->lengths : std::get<Frames>(source).lengths;
  const Tensor x = tokens ? embed_scaled(*embedding_, tokens->ids)
                          : (*input_)(mask_padding(std::get<Frames>(source).features, lengths));
  Tensor states = transformer_(dropout_((*positions_)(x)), lengths);
  return {recorded(AttentionStage::encode, "h", std::move(states)), lengths, {}};
}

std::shared_ptr<Encoder> make_transformer_encoder(const EncoderDecoderOptions& options) {
  return std::make_shared<TransformerEncoderModel>(
      TransformerEncoderModelOptions{.vocabulary = options.source_vocabulary,
                                     .layers = options.layer_count(),
                                     .transformer = transformer_options(options),
                                     .positions = options.positions});
}

}  // namespace attune
