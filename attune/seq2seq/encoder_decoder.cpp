#include "attune/seq2seq/encoder_decoder.h"

#include <algorithm>

#include "attune/autograd/array/error.h"
#include "attune/autograd/ops/losses.h"
#include "attune/autograd/ops/reductions.h"

namespace attune {

EncoderDecoder::EncoderDecoder(const EncoderDecoderOptions& options)
    : options_(options),
      encoder_(child("encoder", Encoder(options))),
      decoder_(child("decoder", Decoder(options))) {}

Tensor EncoderDecoder::operator()(const Batch& batch, double teacher_forcing) const {
  return decoder_(encoder_(batch.source), batch.target_input, teacher_forcing);
}

Tensor EncoderDecoder::loss(const Batch& batch, double teacher_forcing) const {
  return cross_entropy((*this)(batch, teacher_forcing), batch.target_output);
}

double token_accuracy(const Tensor& logits, const Indices& targets) {
  const Indices chosen = argmax(logits);
  ATTUNE_CHECK(chosen.shape() == targets.shape(),
               "token_accuracy: logits {} do not fit targets {}; expected [..., V] and [...]",
               logits.shape(), targets.shape());
  std::int64_t count = 0, right = 0;
  for (std::int64_t i = 0; i < targets.elements(); ++i) {
    count += targets.at(i) != kIgnore;
    right += targets.at(i) == chosen.at(i);
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, count));
}

}  // namespace attune
