#pragma once

#include "attune/attune.h"
#include "gated.h"

namespace extension {

using namespace attune;

/// Each state depends on a token and its two neighbours (Gehring et al. 2017, sec. 3.2):
///
///     e_s = embedding(x_s) + position_s
///     h_s = e_s + a * sigmoid(b),   [a ; b] = W [e_{s-1} ; e_s ; e_{s+1}] + bias
///
/// Parameters: embedding.weight, and window.weight and window.bias.
class ConvolutionalEncoder : public Encoder {
 public:
  explicit ConvolutionalEncoder(const EncoderDecoderOptions& options)
      : size_(options.state_size()),
        embedding_(child("embedding", Embedding(options.source_vocabulary, size_))),
        positions_(size_),
        window_(child("window", Linear(3 * size_, 2 * size_))) {}

  Encoded operator()(const Source& source) const override {
    const auto& [ids, lengths] = std::get<Sources>(source);
    const Tensor e = mask_padding(positions_(embedding_(ids)), lengths);  // [S, B, D]
    const std::int64_t steps = e.size(0);
    const Tensor edge = Array::zeros({1, e.size(1), size_}, e.dtype());
    const Tensor wide = concat({edge, e, edge});
    const Tensor left = slice(wide, 0, 0, steps), right = slice(wide, 0, 2, steps + 2);
    const std::vector<Tensor> ab = split(window_(concat({left, e, right}, -1)), {size_, size_}, -1);
    return {
        .states = mask_padding(e + gated(ab[0], ab[1]), lengths), .lengths = lengths, .last = {}};
  }
  std::int64_t state_size() const override { return size_; }

 private:
  std::int64_t size_;
  Embedding embedding_;
  SinusoidalPositionalEncoding positions_;
  Linear window_;
};

inline std::shared_ptr<Encoder> make_convolutional_encoder(const EncoderDecoderOptions& options) {
  return std::make_shared<ConvolutionalEncoder>(options);
}

}  // namespace extension
