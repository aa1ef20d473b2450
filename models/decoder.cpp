#include "attune/models/decoder.h"

#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

Tensor LinearLogits::of(const Indices& rows) const {
  return linear(index_select(x, 0, rows), weight, bias);
}

Tensor Prediction::alignment() const {
  if (weights.empty()) return {};
  const Tensor& of_heads = weights.back();
  if (of_heads.size(1) == 1) return reshape(of_heads, {of_heads.size(0), of_heads.size(2)});
  return mean(of_heads, 1);
}

Family<DecoderMaker>& decoders() {
  static Family<DecoderMaker> family(
      "decoder",
      {
          {"recurrent", "RNN, GRU or LSTM with attention to the source",
           "Bahdanau et al. 2015, sec. 3.1", ATTUNE_MAKER(DecoderMaker, make_recurrent_decoder)},
          {"transformer", "causal self-attention, and attention to the source",
           "Vaswani et al. 2017, sec. 3.1", ATTUNE_MAKER(DecoderMaker, make_transformer_decoder)},
      });
  return family;
}

std::shared_ptr<Decoder> make_decoder(std::string_view name, const EncoderDecoderOptions& options,
                                      std::int64_t source_size) {
  return decoders().make(name, options, source_size);
}

}  // namespace attune
