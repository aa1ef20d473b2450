#pragma once

#include <vector>

#include "attune/layers/embedding.h"
#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/transformer_decoder.h"
#include "attune/layers/transformer_encoder.h"
#include "attune/models/seq2seq_model.h"

namespace attune {

/// Encoder and decoder made of attention alone (Vaswani et al. 2017), with the norm first. D is the
/// size of a token's vector and of all states.
///
///     x_s = dropout(sqrt(D) embedding(token_s) + p_s)    p: sinusoidal positions; y_t alike
///     h = encoder(x_0 ... x_n)                           each position looks at the whole source
///     z_t = decoder(y_0 ... y_{t-1}, h)                  and here at the target before it and at h
///     logits_t = W z_t + b                               of the token y_t
///
/// Training runs through all positions of a target at once. Decoding keeps the keys and values of
/// the positions so far, so that a step computes the newest one only.
///
/// It looks at the source H times in each decoder layer. NextToken::weights are the mean over the
/// heads of the last layer, the one that the output is made from; NextToken::head_weights have all.
/// Parameters: source_embedding.weight, target_embedding.weight, encoder.layer0. ...,
/// decoder.layer0. ..., output.weight, output.bias.
/// Errors: D is no multiple of the heads; sizes below 1.
class Transformer : public Seq2SeqModel {
 public:
  explicit Transformer(const EncoderDecoderOptions& options);

  /// Errors: teacher_forcing is not 1: all positions are computed at once, before there is any
  /// choice of the model's own.
  Tensor operator()(const Batch& batch, double teacher_forcing = 1) const override;
  std::unique_ptr<DecodingSession> start_decoding(const Sources& sources) const override;

  /// The parts, for a search of another kind. What each decoder layer keeps of the sources.
  std::vector<Memory> memorize(const Sources& sources) const;
  /// States [T, B, D] for the tokens [T, B] that follow those `seen`; see TransformerDecoder. The
  /// first of them stands at position `first` of the target.
  TransformerDecoderResult decode(const Indices& tokens, const std::vector<Memory>& memory,
                                  const std::vector<Memory>& seen = {}, std::int64_t first = 0,
                                  bool weights = false) const;
  /// Logits [..., V] from states [..., D].
  Tensor output(const Tensor& states) const { return output_(states); }

 private:
  Tensor embed(const Embedding& embedding, const Indices& tokens, std::int64_t first) const;

  Embedding source_embedding_, target_embedding_;
  SinusoidalPositionalEncoding positions_;
  Dropout dropout_;
  TransformerEncoder encoder_;
  TransformerDecoder decoder_;
  Linear output_;
};

}  // namespace attune
