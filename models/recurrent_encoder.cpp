#include "attune/models/recurrent_encoder.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/projected_input.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

// The states of one layer's directions, beside each other.
RecurrentState side_by_side(const RecurrentState* first, int directions) {
  if (directions == 1) return *first;
  const RecurrentState &forward = first[0], &backward = first[1];
  return {concat({forward.h, backward.h}, -1),
          forward.c.defined() ? concat({forward.c, backward.c}, -1) : Tensor()};
}

}  // namespace

RecurrentEncoder::RecurrentEncoder(const RecurrentEncoderOptions& options)
    : embedding_(options.vocabulary == 0
                     ? std::optional<Embedding>()
                     : child("embedding", Embedding(options.vocabulary, options.input))),
      dropout_(options.dropout),
      recurrent_(child("recurrent", Recurrent(options.cell, options.input, options.hidden,
                                              {.layers = options.layers,
                                               .bidirectional = options.bidirectional,
                                               .dropout = options.dropout,
                                               .residual = options.residual,
                                               .layer_norm = options.layer_norm}))),
      states_(options.states) {
  if (options.states && options.embedding_residual)
    mark_ = child("mark", Linear(options.input, state_size(), /*bias=*/false));
}

Encoded RecurrentEncoder::operator()(const Source& source) const {
  const LayerScope scope(*this);
  const Sources* tokens = std::get_if<Sources>(&source);
  ATTUNE_CHECK((tokens != nullptr) == embedding_.has_value(),
               "RecurrentEncoder: it was given {} but made for {}; its option `vocabulary` says "
               "which",
               tokens ? "tokens" : "frames", tokens ? "frames" : "tokens");
  return tokens ? of_tokens(*tokens) : of_frames(std::get<Frames>(source));
}

Encoded RecurrentEncoder::of_tokens(const Sources& tokens) const {
  const RecurrentResult result =
      dropout_.active() ? recurrent_(dropout_((*embedding_)(tokens.ids)), tokens.lengths)
                        : recurrent_.of_tokens(*embedding_, tokens.ids, tokens.lengths);
  const Tensor residual =
      mark_ ? embedding_linear(embedding_->weight(), tokens.ids, mark_->weight()) : Tensor();
  return encoded(result, residual, tokens.lengths);
}

Encoded RecurrentEncoder::of_frames(const Frames& frames) const {
  // W would take padding into its gradient.
  const Tensor x = mask_padding(frames.features, frames.lengths);
  return encoded(recurrent_(dropout_(x), frames.lengths), mark_ ? (*mark_)(x) : Tensor(),
                 frames.lengths);
}

Encoded RecurrentEncoder::encoded(const RecurrentResult& result, const Tensor& residual,
                                  const Indices& lengths) const {
  Encoded encoded{.states = {}, .lengths = lengths, .last = {}};
  if (states_)
    encoded.states =
        residual.defined() ? mask_padding(result.output + residual, lengths) : result.output;
  recorded(AttentionStage::encode, "h", encoded.states);
  const int directions = recurrent_.directions();
  for (int layer = 0; layer < recurrent_.layers(); ++layer)
    encoded.last.push_back(side_by_side(&result.states[layer * directions], directions));
  return encoded;
}

std::shared_ptr<Encoder> make_recurrent_encoder(const EncoderDecoderOptions& options) {
  return std::make_shared<RecurrentEncoder>(
      RecurrentEncoderOptions{.vocabulary = options.source_vocabulary,
                              .input = options.embedding_size(),
                              .cell = options.cell,
                              .hidden = options.hidden,
                              .layers = options.layer_count(),
                              .bidirectional = options.bidirectional,
                              .dropout = options.dropout,
                              .residual = options.residual,
                              .layer_norm = options.layer_norm,
                              .states = options.has_attention(),
                              .embedding_residual = options.embedding_residual});
}

}  // namespace attune
