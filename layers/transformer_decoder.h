#pragma once

#include <optional>
#include <vector>

#include "attune/layers/transformer_encoder.h"

namespace attune {

/// How to call a TransformerDecoder. Masks are those of the positions x: in decoding step by step,
/// arrays and biases have one row for each new position. Windows without an offset stay the same.
struct DecodeOptions {
  Mask mask = {};  ///< of self-attention, beside Mask::causal(), such as Mask::window(128, 0)
  Mask source_mask = {};  ///< of attention to the source, beside its lengths
  bool weights = false;   ///< give the weights of attention to the source
};

/// What a TransformerDecoderLayer makes of positions.
struct TransformerDecoderLayerResult {
  Tensor output;   ///< [T, B, features]
  Memory seen;     ///< of the self-attention: all positions so far, for the ones that follow
  Tensor weights;  ///< [B, H, T, S]: where each head looked in the source; if asked for
};

/// One layer of a Transformer's decoder (Vaswani et al. 2017, sec. 3.1): each position looks at
/// itself and those before it, then at the source, and then goes through a feed-forward network.
///
///     x = residual(x, self_attention)       Mask::causal(), and any other mask
///     x = residual(x, cross_attention)      keys and values from the source
///     x = residual(x, feed_forward)
///
/// Without cross-attention the second line is left out, as in language models (Liu et al. 2018,
/// sec. 4.2.3), and norm3 is called norm2.
///
/// Shapes: x [T, B, features], source [S, B, features] -> output [T, B, features].
/// Parameters: self_attention.query.weight, ..., cross_attention.query.weight, ...,
/// feed_forward.layer0.weight, ..., norm1.weight, ..., norm3.bias.
/// As PyTorch's nn.TransformerDecoderLayer but for dropout of attention weights.
/// Errors: features are no multiple of the heads; an unknown activation.
class TransformerDecoderLayer : public Layer {
 public:
  explicit TransformerDecoderLayer(const TransformerOptions& options, bool cross_attention = true);

  /// Looks at a source, once for all positions. Beyond its lengths it may hold anything. Errors:
  /// there is no cross-attention.
  Memory memorize(const Tensor& source, const Indices& lengths = {}) const;
  /// x are the positions that follow those `seen` (none at first): a whole target at once gives the
  /// same as one position after the other. Padding at the end of targets needs no lengths, as no
  /// position looks ahead, if what it holds is finite, as mask_padding() makes it: it gets no
  /// gradient, but 0 * NaN would be one.
  TransformerDecoderLayerResult operator()(const Tensor& x, const Memory& source,
                                           const Memory& seen = {},
                                           const DecodeOptions& options = {}) const;

 private:
  MultiHeadAttention self_attention_;
  std::optional<MultiHeadAttention> cross_attention_;
  FeedForward feed_forward_;
  Residual around_self_;
  std::optional<Residual> around_cross_;
  Residual around_feed_forward_;
};

/// What a TransformerDecoder makes of positions; of every layer, the first layer's first.
struct TransformerDecoderResult {
  Tensor output;                ///< [T, B, features]
  std::vector<Memory> seen;     ///< see TransformerDecoderLayerResult
  std::vector<Tensor> weights;  ///< [B, H, T, S] each; empty unless asked for
};

/// Layers on top of each other, with a LayerNorm at the end if norm_first.
///
///     std::vector<Memory> source = decoder.memorize(encoded, lengths);
///     Tensor all = decoder(x, source).output;                   // a whole target, for training
///     std::vector<Memory> seen;                                 // or step by step
///     for (...) {
///       TransformerDecoderResult step = decoder(newest, source, seen);  // newest [1, B, features]
///       seen = step.seen;
///     }
///
/// Parameters: layer0.self_attention.query.weight, ...; with norm_first also norm.weight,
/// norm.bias.
/// Without cross-attention there are no memories of a source.
/// Errors: as the layer's; fewer than one layer; memories that are not one for each layer; masks
/// that do not fit.
class TransformerDecoder : public Layer {
 public:
  TransformerDecoder(const TransformerOptions& options, int layers, bool cross_attention = true);

  /// Looks at a source [S, B, features]: a memory for each layer.
  std::vector<Memory> memorize(const Tensor& source, const Indices& lengths = {}) const;
  TransformerDecoderResult operator()(const Tensor& x, const std::vector<Memory>& source,
                                      const std::vector<Memory>& seen = {},
                                      const DecodeOptions& options = {}) const;

 private:
  std::vector<TransformerDecoderLayer> layers_;
  std::optional<LayerNorm> norm_;
  bool cross_attention_;
};

}  // namespace attune
