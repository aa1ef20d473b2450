#include "attune/models/encoder.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/embedding.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"

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

Encoder::Encoder(const EncoderDecoderOptions& options)
    : embedding_(child("embedding", Embedding(options.source_vocabulary, options.embedding))),
      dropout_(options.dropout),
      recurrent_(child("recurrent", Recurrent(options.cell, options.embedding, options.hidden,
                                              {.layers = options.layers,
                                               .bidirectional = options.bidirectional,
                                               .dropout = options.dropout}))) {
  if (options.has_attention())
    mark_ = child("mark", Linear(options.embedding, options.state_size(), /*bias=*/false));
}

Encoded Encoder::operator()(const Sources& sources) const {
  const auto [output, states] = dropout_.active()
                                    ? recurrent_(dropout_(embedding_(sources.ids)), sources.lengths)
                                    : recurrent_(embedding_, sources.ids, sources.lengths);

  Encoded encoded{.states = {}, .lengths = sources.lengths, .last = {}};
  if (mark_)
    encoded.states =
        mask_padding(output + embedding_linear(embedding_.weight(), sources.ids, mark_->weight()),
                     sources.lengths);
  const int directions = recurrent_.directions();
  for (int layer = 0; layer < recurrent_.layers(); ++layer)
    encoded.last.push_back(side_by_side(&states[layer * directions], directions));
  return encoded;
}

}  // namespace attune
