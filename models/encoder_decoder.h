#pragma once

#include "attune/data/batch.h"
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/models/seq2seq_model.h"

namespace attune {

/// Encoder and decoder with attention between them (Bahdanau et al. 2015), in the textbook's nine
/// steps:
///
///     1. encode           Encoder: x_0 ... x_n become h_0 ... h_n
///     2. query            DecoderState::query(): s_{t-1}
///     3. keys and values  Decoder::memorize(): the states h, looked at once
///     4. score            AttentionScore: how well the query fits each key
///     5. softmax          Attention::attend(): scores become weights
///     6. weighted sum     Attention::attend(): of the values, by the weights
///     7. context          AttentionResult::context, c_t
///     8. combine          Decoder::step() and Decoder::output(): c_t beside token and state
///     9. repeat           Decoder::operator() in training, greedy_search() in use
///
///     EncoderDecoder model({.source_vocabulary = 30, .target_vocabulary = 30});
///     Tensor logits = model(batch);
///     cross_entropy(logits, batch.target_output).backward();
class EncoderDecoder : public Seq2SeqModel {
 public:
  /// Errors: sizes below 1; an unknown cell or score; a dropout outside [0, 1).
  explicit EncoderDecoder(const EncoderDecoderOptions& options);

  /// See Decoder for `teacher_forcing`.
  Tensor operator()(const Batch& batch, double teacher_forcing = 1) const override;
  std::unique_ptr<DecodingSession> start_decoding(const Sources& sources) const override;

  const EncoderDecoderOptions& options() const { return options_; }
  const Encoder& encoder() const { return encoder_; }
  const Decoder& decoder() const { return decoder_; }

 private:
  EncoderDecoderOptions options_;
  Encoder encoder_;
  Decoder decoder_;
};

}  // namespace attune
