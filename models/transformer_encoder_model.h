#pragma once

#include <optional>

#include "attune/layers/attention/sinusoidal_positional_encoding.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/transformer_encoder.h"
#include "attune/models/encoder.h"

namespace attune {

struct TransformerEncoderModelOptions {
  std::int64_t vocabulary = 0;  ///< tokens that it reads; 0: it reads frames
  std::int64_t frame_size = 0;  ///< of a frame, where it reads frames
  int layers = 2;
  TransformerOptions transformer = {.dropout = 0, .norm_first = true};  ///< of the layers; its
                                                                        ///< dropout is that of the
                                                                        ///< embedding, too
};

/// A Transformer's encoder with what it needs to read tokens or frames (Vaswani et al. 2017). D is
/// the size of a token's vector and of all states.
///
///     x_s = dropout(sqrt(D) embedding(token_s) + p_s)    p: sinusoidal positions
///     h = encoder(x_0 ... x_n)                           each position looks at the whole source
///
/// Of frames f_s it is x_s = dropout(W f_s + b + p_s).
/// Parameters: embedding.weight, or input.weight and input.bias (W, b); transformer.layer0. ... as
/// in TransformerEncoder.
/// Errors: D is no multiple of the heads; sizes below 1; tokens where it reads frames, or the other
/// way round.
class TransformerEncoderModel : public Encoder {
 public:
  explicit TransformerEncoderModel(const TransformerEncoderModelOptions& options);
  Encoded operator()(const Source& source) const override;
  std::int64_t state_size() const override { return size_; }

 private:
  std::int64_t size_;
  std::optional<Embedding> embedding_;
  std::optional<Linear> input_;
  SinusoidalPositionalEncoding positions_;
  Dropout dropout_;
  TransformerEncoder transformer_;
};

std::shared_ptr<Encoder> make_transformer_encoder(const EncoderDecoderOptions& options);

/// What encoder and decoder have in common: their layers' shape.
TransformerOptions transformer_options(const EncoderDecoderOptions& options);
/// An embedding for vectors that are scaled by sqrt(features): elements then have deviation 1, as
/// positions have.
Embedding scaled_embedding(std::int64_t vocabulary, std::int64_t features);
/// sqrt(features) embedding(tokens)
Tensor embed_scaled(const Embedding& embedding, const Indices& tokens);

}  // namespace attune
