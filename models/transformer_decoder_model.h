#pragma once

#include <memory>
#include <optional>

#include "attune/layers/attention/sinusoidal_positional_encoding.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/transformer_decoder.h"
#include "attune/models/decoder.h"

namespace attune {

struct TransformerDecoderModelOptions {
  std::int64_t vocabulary = 0;   ///< V
  std::int64_t source_size = 0;  ///< of the encoder's states; 0: there is no source
  int layers = 2;
  TransformerOptions transformer = {.dropout = 0, .norm_first = true};  ///< of the layers; its
                                                                        ///< dropout is that of the
                                                                        ///< embedding, too
};

/// A Transformer's decoder with what it needs to read and write tokens (Vaswani et al. 2017). D is
/// the size of a token's vector and of all states.
///
///     x_t = dropout(sqrt(D) embedding(y_{t-1}) + p_t)    p: sinusoidal positions
///     z_t = decoder(x_0 ... x_t, h)                      looks at the target before it and at h
///     logits_t = W z_t + b                               of the token y_t
///
/// Training runs through all positions of a target at once. Decoding keeps the keys and values of
/// the positions so far, so that a step computes the newest one only. Without a source its layers
/// have no attention to one: a decoder-only Transformer (Liu et al. 2018, sec. 4.2.3). States of
/// another size than D go through a linear map first, the bridge.
///
/// Parameters: embedding.weight, bridge.weight, bridge.bias (where sizes differ),
/// transformer.layer0. ... as in TransformerDecoder, output.weight, output.bias.
/// Errors: D is no multiple of the heads; sizes below 1.
class TransformerDecoderModel : public Decoder {
 public:
  explicit TransformerDecoderModel(const TransformerDecoderModelOptions& options);

  DecoderState start(const Encoded& encoded) const override;
  Prediction predict(const Indices& previous, DecoderState& state) const override;
  /// Errors: teacher_forcing is not 1: all positions are computed at once, before there is any
  /// choice of the model's own.
  Decoded operator()(const Encoded& encoded, const Targets& targets) const override;

 private:
  Tensor embed(const Indices& tokens, std::int64_t first) const;

  std::int64_t source_size_;
  Embedding embedding_;
  SinusoidalPositionalEncoding positions_;
  Dropout dropout_;
  std::optional<Linear> bridge_;
  TransformerDecoder transformer_;
  Linear output_;
};

std::shared_ptr<Decoder> make_transformer_decoder(const EncoderDecoderOptions& options,
                                                  std::int64_t source_size);

}  // namespace attune
