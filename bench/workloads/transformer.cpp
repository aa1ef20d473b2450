#include <cmath>

#include "attune/layers/attention/sinusoidal_positional_encoding.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/transformer_decoder.h"
#include "attune/layers/transformer_encoder.h"
#include "train.h"

namespace {

using namespace attune;

TransformerOptions layer_options(const bench::TransformerSizes& n) {
  return {.features = n.width, .heads = n.heads, .feed_forward = n.feed_forward, .dropout = 0};
}

class Transformer : public Layer {
 public:
  explicit Transformer(const bench::TransformerSizes& n)
      : source_embedding_(child("source_embedding", Embedding(n.vocabulary, n.width))),
        target_embedding_(child("target_embedding", Embedding(n.vocabulary, n.width))),
        positions_(n.width),
        encoder_(child("encoder", TransformerEncoder(layer_options(n), n.layers))),
        decoder_(child("decoder", TransformerDecoder(layer_options(n), n.layers))),
        output_(child("output", Linear(n.width, n.vocabulary))),
        scale_(std::sqrt(static_cast<double>(n.width))) {}

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor operator()(const Indices& source, const Indices& target_input) const {
    const Tensor encoded = encoder_(positions_(source_embedding_(source) * scale_));
    const Tensor written = positions_(target_embedding_(target_input) * scale_);
    return output_(decoder_(written, decoder_.memorize(encoded)).output);
  }

 private:
  Embedding source_embedding_, target_embedding_;
  SinusoidalPositionalEncoding positions_;
  TransformerEncoder encoder_;
  TransformerDecoder decoder_;
  Linear output_;
  double scale_;
};

}  // namespace

bench::Workload transformer(const bench::TransformerSizes& n, std::int64_t shards) {
  return train<Transformer>(n, shards);
}
