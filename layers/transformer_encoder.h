#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/layers/attention/multi_head_attention.h"
#include "attune/layers/attention/sequence_mixer.h"
#include "attune/layers/feed_forward.h"
#include "attune/layers/residual.h"

namespace attune {

/// Options of Transformer layers; the defaults are those of Vaswani et al. 2017.
struct TransformerOptions {
  std::int64_t features = 512;
  std::int64_t heads = 8;
  std::int64_t feed_forward = 2048;       ///< hidden units of the FeedForward
  std::string activation = "relu";        ///< of the FeedForward: a name that it accepts
  double dropout = 0.1;                   ///< see Residual; also of the FeedForward's hidden units
  bool norm_first = false;                ///< see Residual
  std::string norm_layer = "layer_norm";  ///< a name that make_norm_layer() accepts
  std::int64_t key_value_heads = 0;       ///< see MultiHeadAttentionOptions; 0: `heads`
  std::string head_mixer = "none";        ///< a name that make_head_mixer() accepts
  bool gated_attention = false;           ///< see MultiHeadAttentionOptions
  double attention_dropout = 0;           ///< see MultiHeadAttentionOptions
  std::shared_ptr<const PositionalEncoding> positions = {};  ///< of self-attention in all layers;
                                                             ///< null: none
  std::string sequence_mixer = "attention";  ///< in the place of self-attention: a name that
                                             ///< make_sequence_mixer() accepts

  bool has_self_attention() const { return sequence_mixer == "attention"; }
  SequenceMixerOptions mixer_options() const {
    return {.features = features, .heads = heads, .arguments = {}};
  }
  /// Errors: positions that act in attention, with a mixer that has none.
  void check_mixer() const;
};

/// The attention of the layer with that index to its own sequence.
MultiHeadAttention make_self_attention(const TransformerOptions& options, std::int64_t layer);
/// The attention of a decoder's layer to the source, without positions.
MultiHeadAttention make_cross_attention(const TransformerOptions& options, std::int64_t layer);

/// A layer of a Transformer encoder (Vaswani et al. 2017, sec. 3.1): self-attention of each
/// position to all positions, and a feed-forward network.
///
///     x = residual(x, self_attention)
///     x = residual(x, feed_forward)         FeedForward({features, feed_forward, features})
///
/// With a sequence_mixer, a BidirectionalMixer has the place of self-attention.
/// Shapes: x [T, B, features], lengths [B] (not defined: all T) -> [T, B, features]. A mask
/// restricts the positions, within the length, to which each position attends: Mask::window(64, 64)
/// is local attention. Positions beyond a length may hold anything, including NaN: they have no
/// influence on any value or gradient, and the output there is 0.
/// Parameters: self_attention.query.weight, ... as in MultiHeadAttention, or mixer.forward.* and
/// mixer.backward.*, then feed_forward.layer0.weight, ... as in FeedForward, norm1.weight,
/// norm1.bias, norm2.weight, norm2.bias. The same as PyTorch's nn.TransformerEncoderLayer if
/// attention_dropout is `dropout`; its default is none, as in the paper.
/// Errors: as MultiHeadAttention, FeedForward and make_sequence_mixer(); an unknown norm_layer;
/// positions that act in attention, or a mask, with a mixer.
class TransformerEncoderLayer : public Layer {
 public:
  /// `layer` is the index of the layer in its stack, for options.positions.
  explicit TransformerEncoderLayer(const TransformerOptions& options, std::int64_t layer = 0);
  Tensor operator()(Tensor x, const Indices& lengths = {}, const Mask& mask = {}) const;

 private:
  std::optional<MultiHeadAttention> self_attention_;
  std::optional<BidirectionalMixer> mixer_;  // in its place
  FeedForward feed_forward_;
  Residual around_attention_, around_feed_forward_;
};

/// A stack of encoder layers, followed by a normalisation if norm_first, since the last layer's sum
/// is then not normalised. x must already include what a PositionalEncoding adds to embeddings; its
/// other functions are applied in the layers if it is one of the options.
/// Shapes: as in TransformerEncoderLayer.
/// Parameters: positions.* if those have some; layer0.self_attention.query.weight, ...; with
/// norm_first also norm.weight, norm.bias.
/// Errors: as TransformerEncoderLayer; fewer than one layer.
class TransformerEncoder : public Layer {
 public:
  TransformerEncoder(const TransformerOptions& options, int layers);
  Tensor operator()(Tensor x, const Indices& lengths = {}, const Mask& mask = {}) const;

 private:
  std::vector<TransformerEncoderLayer> layers_;
  std::shared_ptr<NormLayer> norm_;  // null unless norm_first
};

}  // namespace attune
