#pragma once

#include <optional>
#include <vector>

#include "attune/layers/transformer_encoder.h"

namespace attune {

/// Options of a call of TransformerDecoder. Masks apply to the positions x. In step-by-step
/// decoding, the arrays and biases of a mask have one row for each new position; windows without an
/// offset need no change.
struct DecodeOptions {
  Mask mask = {};  ///< of self-attention, besides Mask::causal(), such as Mask::window(128, 0)
  Mask source_mask = {};  ///< of cross-attention, besides the lengths of the source
  bool weights = false;   ///< return the weights of cross-attention
};

/// What a layer keeps of the positions so far. `SeenPositions{}` is what it starts with.
struct SeenPositions {
  Memory memory;     ///< keys and values of self-attention
  MixerState mixer;  ///< of the mixer in its place

  /// The same for the given rows of the batch. Errors: a row out of range.
  SeenPositions select(const Indices& rows) const {
    return {memory.shared().select(rows), mixer.select(rows)};
  }
};

/// The result of a TransformerDecoderLayer.
struct TransformerDecoderLayerResult {
  Tensor output;  ///< [T, B, features]
  SeenPositions seen;
  Tensor weights;  ///< [B, H, T, S]: the weights of cross-attention, if requested
};

/// A layer of a Transformer decoder (Vaswani et al. 2017, sec. 3.1): self-attention of each
/// position to itself and earlier ones, cross-attention to the source, and a feed-forward network.
///
///     x = residual(x, self_attention)       Mask::causal(), and any other mask
///     x = residual(x, cross_attention)      keys and values from the source
///     x = residual(x, feed_forward)
///
/// Without cross-attention the second line is left out, as in language models (Liu et al. 2018,
/// sec. 4.2.3), and norm3 is called norm2. With a sequence_mixer, a SequenceMixer has the place of
/// self-attention.
///
/// Shapes: x [T, B, features], source [S, B, features] -> output [T, B, features].
/// Parameters: self_attention.query.weight, ... (or mixer.*), cross_attention.query.weight, ...,
/// feed_forward.layer0.weight, ..., norm1.weight, ..., norm3.bias.
/// The same as PyTorch's nn.TransformerDecoderLayer if attention_dropout is `dropout`; its default
/// is none, as in the paper. Errors: as TransformerEncoderLayer.
class TransformerDecoderLayer : public Layer {
 public:
  /// `layer` is the index of the layer in its stack, for options.positions.
  explicit TransformerDecoderLayer(const TransformerOptions& options, bool cross_attention = true,
                                   std::int64_t layer = 0);

  /// Projects a source [S, B, features] once for all positions; elements beyond its lengths are
  /// ignored. Errors: there is no cross-attention; lengths are not one for each sequence, or
  /// outside [0, S].
  Memory memorize(const Tensor& source, const Indices& lengths = {}) const;
  /// Computes the positions x that follow those in `seen` (initially empty): a whole target at once
  /// gives the same result as one position after another. Targets need no lengths, because no
  /// position attends to later ones, but their padding must be finite, as mask_padding() makes it:
  /// its gradient is 0, and 0 * NaN would be NaN.
  TransformerDecoderLayerResult operator()(const Tensor& x, const Memory& source,
                                           const SeenPositions& seen = {},
                                           const DecodeOptions& options = {}) const;

 private:
  Tensor attend_to_target(const Tensor& x, SeenPositions& seen, const Mask& mask) const;

  std::optional<MultiHeadAttention> self_attention_;
  std::shared_ptr<SequenceMixer> mixer_;  // in its place; null if it is there
  std::optional<MultiHeadAttention> cross_attention_;
  FeedForward feed_forward_;
  Residual around_self_;
  std::optional<Residual> around_cross_;
  Residual around_feed_forward_;
};

/// The result of a TransformerDecoder; vectors have an element for each layer, from first to last.
struct TransformerDecoderResult {
  Tensor output;                    ///< [T, B, features]
  std::vector<SeenPositions> seen;  ///< see TransformerDecoderLayerResult
  std::vector<Tensor> weights;      ///< [B, H, T, S] each; empty unless requested
};

/// A stack of decoder layers, followed by a normalisation if norm_first.
///
///     std::vector<Memory> source = decoder.memorize(encoded, lengths);
///     Tensor all = decoder(x, source).output;                   // a whole target, for training
///     std::vector<SeenPositions> seen;                          // or step by step
///     for (...) {
///       TransformerDecoderResult step = decoder(newest, source, seen);  // newest [1, B, features]
///       seen = step.seen;
///     }
///
/// Shapes: as in TransformerDecoderLayer.
/// Parameters: positions.* if those have some; layer0.self_attention.query.weight, ...; with
/// norm_first also norm.weight, norm.bias.
/// Without cross-attention, `source` is empty.
/// Errors: as TransformerDecoderLayer; fewer than one layer; not one memory for each layer; masks
/// that do not match.
class TransformerDecoder : public Layer {
 public:
  TransformerDecoder(const TransformerOptions& options, int layers, bool cross_attention = true);

  /// Projects a source [S, B, features] into a memory for each layer.
  std::vector<Memory> memorize(const Tensor& source, const Indices& lengths = {}) const;
  TransformerDecoderResult operator()(const Tensor& x, const std::vector<Memory>& source,
                                      const std::vector<SeenPositions>& seen = {},
                                      const DecodeOptions& options = {}) const;

 private:
  std::vector<TransformerDecoderLayer> layers_;
  std::shared_ptr<NormLayer> norm_;  // null unless norm_first
  bool cross_attention_;
};

}  // namespace attune
