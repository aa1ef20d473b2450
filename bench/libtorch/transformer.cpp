#include <cmath>

#include "train.h"

namespace {

using torch::Tensor;
namespace nn = torch::nn;

// Sinusoidal positional encodings, [length, 1, width].
Tensor sinusoids(std::int64_t length, std::int64_t width) {
  const Tensor frequencies =
      torch::exp(torch::arange(0, width, 2) * (-std::log(10000.0) / static_cast<double>(width)));
  const Tensor angles = torch::arange(length).unsqueeze(1) * frequencies;
  return torch::stack({angles.sin(), angles.cos()}, 2).reshape({length, 1, width});
}

struct Transformer : nn::Module {
  explicit Transformer(const bench::TransformerSizes& n)
      : source_embedding(n.vocabulary, n.width),
        target_embedding(n.vocabulary, n.width),
        encoder(nn::TransformerEncoderLayer(nn::TransformerEncoderLayerOptions(n.width, n.heads)
                                                .dim_feedforward(n.feed_forward)
                                                .dropout(0)),
                n.layers),
        decoder(nn::TransformerDecoderLayer(nn::TransformerDecoderLayerOptions(n.width, n.heads)
                                                .dim_feedforward(n.feed_forward)
                                                .dropout(0)),
                n.layers),
        output(n.width, n.vocabulary),
        positions(sinusoids(n.length, n.width)),
        causal_mask(nn::TransformerImpl::generate_square_subsequent_mask(n.length)),
        scale(std::sqrt(static_cast<double>(n.width))) {
    register_module("source_embedding", source_embedding);
    register_module("target_embedding", target_embedding);
    register_module("encoder", encoder);
    register_module("decoder", decoder);
    register_module("output", output);
  }

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor forward(const Tensor& source, const Tensor& target_input) {
    const Tensor read = source_embedding(source) * scale + positions;
    const Tensor written = target_embedding(target_input) * scale + positions;
    return output(decoder(written, encoder(read), causal_mask));
  }

  nn::Embedding source_embedding, target_embedding;
  nn::TransformerEncoder encoder;  // without the layer norms that nn::Transformer adds at the end
  nn::TransformerDecoder decoder;
  nn::Linear output;
  Tensor positions, causal_mask;
  double scale;
};

}  // namespace

bench::Workload transformer(const bench::TransformerSizes& n) { return train<Transformer>(n); }
