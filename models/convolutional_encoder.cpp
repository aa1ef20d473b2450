#include "attune/models/convolutional_encoder.h"

#include <cmath>
#include <variant>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/convolution.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {

ConvolutionalEncoder::ConvolutionalEncoder(const ConvolutionalEncoderOptions& options)
    : size_(options.size),
      width_(options.width),
      embedding_(options.vocabulary == 0
                     ? std::optional<Embedding>()
                     : child("embedding", Embedding(options.vocabulary, options.input))),
      positions_(make_positional_encoding("sinusoidal", {.features = options.input})),
      dropout_(options.dropout),
      input_(child("input", Linear(options.input, size_))) {
  ATTUNE_CHECK(options.layers >= 1 && width_ >= 1,
               "ConvolutionalEncoder: {} layers of width {}; expected at least 1 of each",
               options.layers, width_);
  for (int i = 0; i < options.layers; ++i)
    layers_.push_back(child(fmt::format("layer{}", i), Linear(size_ * width_, 2 * size_)));
}

Encoded ConvolutionalEncoder::operator()(const Source& source) const {
  const LayerScope scope(*this);
  const Sources* tokens = std::get_if<Sources>(&source);
  ATTUNE_CHECK((tokens != nullptr) == embedding_.has_value(),
               "ConvolutionalEncoder: it was given {} but made for {}; its option `vocabulary` "
               "says which",
               tokens ? "tokens" : "frames", tokens ? "frames" : "tokens");
  const Indices& lengths = tokens ? tokens->lengths : std::get<Frames>(source).lengths;
  const Tensor e = tokens ? (*embedding_)(tokens->ids)
                          : mask_padding(std::get<Frames>(source).features, lengths);
  Tensor h = input_(dropout_((*positions_)(e)));
  for (const Linear& layer : layers_) h = (h + convolved(layer, h, lengths)) * std::sqrt(0.5);
  return {.states = recorded(AttentionStage::encode, "h", mask_padding(h, lengths)),
          .lengths = lengths,
          .last = {}};
}

Tensor ConvolutionalEncoder::convolved(const Linear& layer, const Tensor& h,
                                       const Indices& lengths) const {
  // Padding counts as the zeros outside of the source.
  const Tensor windows = unfold(dropout_(mask_padding(h, lengths)), width_,
                                {.left = (width_ - 1) / 2, .right = width_ / 2});
  const std::vector<Tensor> parts = split(layer(windows), {size_, size_}, -1);
  return parts[0] * sigmoid(parts[1]);
}

std::shared_ptr<Encoder> make_convolutional_encoder(const EncoderDecoderOptions& options) {
  return std::make_shared<ConvolutionalEncoder>(
      ConvolutionalEncoderOptions{.vocabulary = options.source_vocabulary,
                                  .input = options.embedding_size(),
                                  .size = options.state_size(),
                                  .layers = options.layer_count(),
                                  .width = options.arguments.whole("width", 3),
                                  .dropout = options.dropout});
}

}  // namespace attune
