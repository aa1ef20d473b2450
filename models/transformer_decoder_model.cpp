#include "attune/models/transformer_decoder_model.h"

#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"
#include "attune/models/transformer_encoder_model.h"

namespace attune {
namespace {

bool needs_bridge(const TransformerDecoderModelOptions& options) {
  return options.source_size > 0 && options.source_size != options.transformer.features;
}

Embedding checked(const Embedding& embedding, const TransformerDecoderModelOptions& options) {
  ATTUNE_CHECK(embedding.vocabulary() == options.vocabulary &&
                   embedding.features() == options.transformer.features,
               "TransformerDecoderModel: the embedding given is [{}, {}]; expected [{}, {}], a "
               "vector for each token",
               embedding.vocabulary(), embedding.features(), options.vocabulary,
               options.transformer.features);
  return embedding;
}

TransformerDecoderModelOptions model_options(const EncoderDecoderOptions& options,
                                             std::int64_t source_size) {
  return {.vocabulary = options.target_vocabulary,
          .source_size = source_size,
          .layers = options.layer_count(),
          .transformer = transformer_options(options),
          .positions =
              options.decoder_positions.empty() ? options.positions : options.decoder_positions,
          .tied = options.tied_embeddings != "none",
          .embedding = {}};
}

}  // namespace

TransformerDecoderModel::TransformerDecoderModel(const TransformerDecoderModelOptions& options)
    : source_size_(options.source_size),
      embedding_(child("embedding",
                       options.embedding
                           ? checked(*options.embedding, options)
                           : scaled_embedding(options.vocabulary, options.transformer.features))),
      positions_(child("positions", make_positions(options.positions, options.transformer,
                                                   options.layers, /*bidirectional=*/false))),
      dropout_(options.transformer.dropout),
      bridge_(needs_bridge(options)
                  ? child("bridge", Linear(options.source_size, options.transformer.features))
                  : std::optional<Linear>()),
      transformer_(
          child("transformer",
                TransformerDecoder(with_positions(options.transformer, positions_), options.layers,
                                   /*cross_attention=*/options.source_size > 0))),
      output_(child("output", options.tied
                                  ? Linear(embedding_.weight())
                                  : Linear(options.transformer.features, options.vocabulary))) {}

Tensor TransformerDecoderModel::embed(const Indices& tokens, std::int64_t first) const {
  return dropout_((*positions_)(embed_scaled(embedding_, tokens), first));
}

DecoderState TransformerDecoderModel::start(const Encoded& encoded) const {
  const LayerScope scope(*this);
  DecoderState state;
  if (source_size_ == 0) return state;
  ATTUNE_CHECK(
      encoded.states.defined(),
      "TransformerDecoderModel: the source has no states to attend to; expected [S, B, {}]",
      source_size_);
  const Tensor source =
      bridge_ ? (*bridge_)(mask_padding(encoded.states, encoded.lengths)) : encoded.states;
  state.source = transformer_.memorize(source, encoded.lengths);
  return state;
}

Prediction TransformerDecoderModel::predict(const Indices& previous, DecoderState& state) const {
  const LayerScope scope(*this);
  const Tensor x = embed(previous.reshape({1, previous.elements()}), state.position);
  TransformerDecoderResult result =
      transformer_(x, state.source, state.seen, {.weights = state.weights});
  state.seen = std::move(result.seen);
  ++state.position;
  const Tensor combined = result.output[0];
  Prediction next;
  if (state.logits)
    next.logits = recorded(AttentionStage::combine, "logits", output_(combined));
  else
    next.linear = {combined, output_.weight(), output_.bias()};
  for (const Tensor& weights : result.weights)  // [B, H, 1, S]
    next.weights.push_back(reshape(weights, weights.shape().without(2)));
  return next;
}

Decoded TransformerDecoderModel::operator()(const Encoded& encoded, const Targets& targets) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(targets.teacher_forcing == 1,
               "Transformer: teacher forcing is {}; all positions of a target are computed at once "
               "from the correct previous tokens, so it must be 1",
               targets.teacher_forcing);
  ATTUNE_CHECK(targets.coverage_loss == 0,
               "Transformer: there is no coverage loss for its layers of several heads; use a "
               "recurrent decoder, or a coverage loss of 0 instead of {}",
               targets.coverage_loss);
  const DecoderState state = start(encoded);
  const Tensor target = mask_padding(embed(targets.input, 0), targets.lengths);
  return {output_(transformer_(target, state.source).output), {}, {}};
}

std::shared_ptr<Decoder> make_transformer_decoder(const EncoderDecoderOptions& options,
                                                  std::int64_t source_size) {
  ATTUNE_CHECK(options.tied_embeddings != "all",
               "transformer: embeddings of source and target can only be tied if encoder and "
               "decoder are both transformers, made by make_model()");
  return std::make_shared<TransformerDecoderModel>(model_options(options, source_size));
}

std::shared_ptr<Decoder> make_tied_decoder(const EncoderDecoderOptions& options,
                                           const Encoder& encoder) {
  const auto* const model = dynamic_cast<const TransformerEncoderModel*>(&encoder);
  ATTUNE_CHECK(model && model->embedding(),
               "transformer: embeddings can only be tied to those of a transformer encoder of "
               "tokens");
  ATTUNE_CHECK(options.source_vocabulary == options.target_vocabulary,
               "transformer: {} source and {} target tokens cannot share an embedding; expected "
               "equal vocabularies, or tied_embeddings \"target\"",
               options.source_vocabulary, options.target_vocabulary);
  TransformerDecoderModelOptions of_decoder = model_options(options, encoder.state_size());
  of_decoder.embedding = model->embedding();
  return std::make_shared<TransformerDecoderModel>(of_decoder);
}

}  // namespace attune
