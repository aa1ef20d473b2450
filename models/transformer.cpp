#include "attune/models/transformer.h"

#include <cmath>

#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// Vectors that have elements of deviation 1, as positions have, once they are scaled.
Embedding scaled_embedding(std::int64_t vocabulary, std::int64_t features) {
  return Embedding(vocabulary, features, normal(0, 1 / std::sqrt(static_cast<double>(features))));
}

TransformerOptions layer_options(const EncoderDecoderOptions& options) {
  return {.features = options.embedding,
          .heads = options.heads,
          .feed_forward = options.feed_forward,
          .activation = "relu",
          .dropout = options.dropout,
          .norm_first = true};
}

class TransformerDecodingSession : public DecodingSession {
 public:
  TransformerDecodingSession(const Transformer& model, const Sources& sources)
      : model_(model), memory_(model_.memorize(sources)) {}

  NextToken step(const Indices& previous) override {
    const std::int64_t batch = previous.elements();
    TransformerDecoderResult result =
        model_.decode(previous.reshape({1, batch}), memory_, seen_, position_++, /*weights=*/true);
    seen_ = std::move(result.seen);
    const Tensor of_heads = mean(result.weights.back(), 1);  // [B, 1, S]
    return {.logits = model_.output(result.output[0]),
            .weights = reshape(of_heads, {batch, of_heads.size(2)}),
            .head_weights = std::move(result.weights)};
  }

 private:
  Transformer model_;
  std::vector<Memory> memory_, seen_;
  std::int64_t position_ = 0;
};

}  // namespace

Transformer::Transformer(const EncoderDecoderOptions& options)
    : source_embedding_(child("source_embedding",
                              scaled_embedding(options.source_vocabulary, options.embedding))),
      target_embedding_(child("target_embedding",
                              scaled_embedding(options.target_vocabulary, options.embedding))),
      positions_(options.embedding),
      dropout_(options.dropout),
      encoder_(child("encoder", TransformerEncoder(layer_options(options), options.layers))),
      decoder_(child("decoder", TransformerDecoder(layer_options(options), options.layers))),
      output_(child("output", Linear(options.embedding, options.target_vocabulary))) {}

Tensor Transformer::embed(const Embedding& embedding, const Indices& tokens,
                          std::int64_t first) const {
  const double scale = std::sqrt(static_cast<double>(embedding.features()));
  return dropout_(positions_(embedding(tokens) * scale, first));
}

std::vector<Memory> Transformer::memorize(const Sources& sources) const {
  const Tensor states = encoder_(embed(source_embedding_, sources.ids, 0), sources.lengths);
  return decoder_.memorize(states, sources.lengths);
}

TransformerDecoderResult Transformer::decode(const Indices& tokens,
                                             const std::vector<Memory>& memory,
                                             const std::vector<Memory>& seen, std::int64_t first,
                                             bool weights) const {
  return decoder_(embed(target_embedding_, tokens, first), memory, seen, weights);
}

Tensor Transformer::operator()(const Batch& batch, double teacher_forcing) const {
  ATTUNE_CHECK(teacher_forcing == 1,
               "Transformer: teacher forcing {} asked for; all positions of a target are computed "
               "at once, each told the right tokens before it, so it must be 1",
               teacher_forcing);
  const Tensor target =
      mask_padding(embed(target_embedding_, batch.target_input, 0), target_lengths(batch));
  return output(decoder_(target, memorize(batch.source)).output);
}

std::unique_ptr<DecodingSession> Transformer::start_decoding(const Sources& sources) const {
  return std::make_unique<TransformerDecodingSession>(*this, sources);
}

}  // namespace attune
