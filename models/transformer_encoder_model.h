#pragma once

#include <memory>
#include <optional>
#include <string>

#include "attune/layers/attention/positional_encoding.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/transformer_encoder.h"
#include "attune/models/encoder.h"

namespace attune {

struct TransformerEncoderModelOptions {
  std::int64_t vocabulary = 0;  ///< number of source tokens; 0: the source is frames
  std::int64_t frame_size = 0;  ///< size of a frame, if the source is frames
  int layers = 2;
  TransformerOptions transformer = {.dropout = 0, .norm_first = true};  ///< of each layer; its
                                                                        ///< dropout also applies to
                                                                        ///< the embedding
  std::string positions = "sinusoidal";  ///< a name that make_positional_encoding() accepts
};

/// A Transformer encoder of tokens or frames (Vaswani et al. 2017). D is the size of the embeddings
/// and of all states.
///
///     x_s = dropout(sqrt(D) embedding(token_s) + p_s)    p: positions, if added
///     h = encoder(x_0 ... x_n)                           each position attends to the whole source
///
/// For frames f_s, x_s = dropout(W f_s + b + p_s).
/// Parameters: embedding.weight, or input.weight and input.bias (W, b); positions.*;
/// transformer.layer0.* ... as in TransformerEncoder.
/// Errors: D is not a multiple of the number of heads; a size below 1; given frames but made for
/// tokens, or the reverse.
class TransformerEncoderModel : public Encoder {
 public:
  explicit TransformerEncoderModel(const TransformerEncoderModelOptions& options);
  Encoded operator()(const Source& source) const override;
  std::int64_t state_size() const override { return size_; }
  /// Not set if the source is frames.
  const std::optional<Embedding>& embedding() const { return embedding_; }

 private:
  std::int64_t size_;
  std::optional<Embedding> embedding_;
  std::optional<Linear> input_;
  std::shared_ptr<PositionalEncoding> positions_;
  Dropout dropout_;
  TransformerEncoder transformer_;
};

/// The maker of "transformer" in encoders().
std::shared_ptr<Encoder> make_transformer_encoder(const EncoderDecoderOptions& options);

/// The options of the layers, which are the same in encoder and decoder.
TransformerOptions transformer_options(const EncoderDecoderOptions& options);
/// The positional encoding of a stack of such layers.
std::shared_ptr<PositionalEncoding> make_positions(const std::string& name,
                                                   const TransformerOptions& options, int layers,
                                                   bool bidirectional);
/// The options of the layers with these positions.
TransformerOptions with_positions(TransformerOptions options,
                                  std::shared_ptr<const PositionalEncoding> positions);
/// An embedding for embed_scaled(): its standard deviation is 1 / sqrt(features), so that scaled
/// vectors have elements of standard deviation 1, on the scale of positional encodings.
Embedding scaled_embedding(std::int64_t vocabulary, std::int64_t features);
/// sqrt(features) embedding(tokens)
Tensor embed_scaled(const Embedding& embedding, const Indices& tokens);

}  // namespace attune
