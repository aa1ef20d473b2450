#include "attune/models/encoder.h"

#include <algorithm>

#include "attune/autograd/ops/attention.h"

namespace attune {
namespace {

// The mean of states [S, B, D] over each source: [B, D]; 0 for an empty source.
Tensor mean_of(const Tensor& states, const Indices& lengths) {
  const std::int64_t size = states.size(0), batch = states.size(1);
  Array shares = Array::zeros({batch, size}, states.dtype());
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t length = lengths.defined() ? lengths.at(b) : size;
    for (std::int64_t s = 0; s < length; ++s)
      shares.set(b * size + s, 1.0 / static_cast<double>(length));
  }
  return weighted_sum(Tensor(shares), states);
}

}  // namespace

RecurrentState Encoded::summary(std::size_t layer) const {
  if (!last.empty()) return last[std::min(layer, last.size() - 1)];
  ATTUNE_CHECK(states.defined(), "Encoded: there are neither states nor last ones to sum up");
  return {mean_of(states, lengths), {}};
}

Family<EncoderMaker>& encoders() {
  static Family<EncoderMaker> family(
      "encoder",
      {
          {"recurrent", "RNN, GRU or LSTM, in one or two directions",
           "Bahdanau et al. 2015, sec. 3.2", ATTUNE_MAKER(EncoderMaker, make_recurrent_encoder)},
          {"convolutional", "gated convolutions over windows of tokens",
           "Gehring et al. 2017, sec. 3.1 and 3.2",
           ATTUNE_MAKER(EncoderMaker, make_convolutional_encoder)},
          {"transformer", "self-attention", "Vaswani et al. 2017, sec. 3.1",
           ATTUNE_MAKER(EncoderMaker, make_transformer_encoder)},
      });
  return family;
}

std::shared_ptr<Encoder> make_encoder(std::string_view name, const EncoderDecoderOptions& options) {
  return encoders().make(name, options);
}

}  // namespace attune
