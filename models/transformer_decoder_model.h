#pragma once

#include <memory>
#include <optional>
#include <string>

#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/transformer_decoder.h"
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"

namespace attune {

struct TransformerDecoderModelOptions {
  std::int64_t vocabulary = 0;   ///< V
  std::int64_t source_size = 0;  ///< width of the encoder's states; 0: there is no source
  int layers = 2;
  TransformerOptions transformer = {.dropout = 0, .norm_first = true};  ///< of each layer; its
                                                                        ///< dropout also applies to
                                                                        ///< the embedding
  std::string positions = "sinusoidal";     ///< a name that make_positional_encoding() accepts
  bool tied = false;                        ///< the output's weight is that of the embedding
  std::optional<Embedding> embedding = {};  ///< of another layer, to be used here too; not set: a
                                            ///< new one
};

/// A Transformer decoder with token embedding and output projection (Vaswani et al. 2017). D is the
/// size of the embeddings and of all states.
///
///     x_t = dropout(sqrt(D) embedding(y_{t-1}) + p_t)    p: positions, if added
///     z_t = decoder(x_0 ... x_t, h)                      attends to the target so far and to h
///     logits_t = W z_t + b                               of the token y_t
///
/// In training, all positions of a target are computed at once. In decoding, the keys and values of
/// earlier positions are cached, so that a step computes the newest position only. Without a
/// source, the layers have no cross-attention: a decoder-only Transformer (Liu et al. 2018, sec.
/// 4.2.3). Encoder states of a size other than D first pass through a linear layer, the bridge.
///
/// If tied, W is the embedding's weight (Press and Wolf 2017; Vaswani et al. 2017, sec. 3.4).
///
/// Parameters: embedding.weight; positions.*; bridge.weight and bridge.bias (if the sizes differ);
/// transformer.layer0.* ... as in TransformerDecoder; output.weight (unless tied), output.bias.
/// Errors: D is not a multiple of the number of heads; a size below 1; an embedding of other sizes.
class TransformerDecoderModel : public Decoder {
 public:
  explicit TransformerDecoderModel(const TransformerDecoderModelOptions& options);

  /// Errors: the states of the source are not defined.
  DecoderState start(const Encoded& encoded) const override;
  Prediction predict(const Indices& previous, DecoderState& state) const override;
  /// Errors: teacher_forcing is not 1. All positions are computed at once, so the model's own
  /// predictions cannot be fed back.
  Decoded operator()(const Encoded& encoded, const Targets& targets) const override;

 private:
  Tensor embed(const Indices& tokens, std::int64_t first) const;

  std::int64_t source_size_;
  Embedding embedding_;
  std::shared_ptr<PositionalEncoding> positions_;
  Dropout dropout_;
  std::optional<Linear> bridge_;
  TransformerDecoder transformer_;
  Linear output_;
};

/// The maker of "transformer" in decoders(). Errors: tied_embeddings is "all", for which
/// make_model() makes both encoder and decoder.
std::shared_ptr<Decoder> make_transformer_decoder(const EncoderDecoderOptions& options,
                                                  std::int64_t source_size);
/// The decoder whose embedding and output share the encoder's embedding, for tied_embeddings "all".
/// Errors: `encoder` is not a TransformerEncoderModel of tokens; the vocabularies differ in size.
std::shared_ptr<Decoder> make_tied_decoder(const EncoderDecoderOptions& options,
                                           const Encoder& encoder);

}  // namespace attune
