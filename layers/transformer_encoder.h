#pragma once

#include <optional>
#include <string>
#include <vector>

#include "attune/layers/attention/multi_head_attention.h"
#include "attune/layers/feed_forward.h"
#include "attune/layers/residual.h"

namespace attune {

/// The shape of a Transformer's layers; the defaults are those of Vaswani et al. 2017.
struct TransformerOptions {
  std::int64_t features = 512;
  std::int64_t heads = 8;
  std::int64_t feed_forward = 2048;  ///< units between the two linear maps of the FeedForward
  std::string activation = "relu";   ///< of the FeedForward; see make_activation()
  double dropout = 0.1;              ///< see Residual, and of the FeedForward's units
  bool norm_first = false;           ///< see Residual
};

/// One layer of a Transformer's encoder (Vaswani et al. 2017, sec. 3.1): each position looks at all
/// others, and then goes through a feed-forward network.
///
///     x = residual(x, self_attention)
///     x = residual(x, feed_forward)         FeedForward({features, feed_forward, features})
///
/// Shapes: x [T, B, features], lengths [B] (all T where not defined) -> [T, B, features]. A mask
/// says which positions each one looks at, of those within its length: Mask::window(64, 64) is
/// local attention. What lies beyond a length may hold anything, NaN included: it has no influence
/// on any value or gradient, and the output is 0 there.
/// Parameters: self_attention.query.weight, ... as in MultiHeadAttention, then
/// feed_forward.layer0.weight, ... as in FeedForward, norm1.weight, norm1.bias, norm2.weight,
/// norm2.bias. As PyTorch's nn.TransformerEncoderLayer but for dropout of attention weights, which
/// the paper does not have. Errors: features are no multiple of the heads; an unknown activation.
class TransformerEncoderLayer : public Layer {
 public:
  explicit TransformerEncoderLayer(const TransformerOptions& options);
  Tensor operator()(Tensor x, const Indices& lengths = {}, const Mask& mask = {}) const;

 private:
  MultiHeadAttention self_attention_;
  FeedForward feed_forward_;
  Residual around_attention_, around_feed_forward_;
};

/// Layers on top of each other. With norm_first, whose sums are never normalised, there is a
/// LayerNorm at the end. Positions must be in x already: see PositionalEncoding.
/// Shapes: as the layer's.
/// Parameters: layer0.self_attention.query.weight, ...; with norm_first also norm.weight,
/// norm.bias.
/// Errors: as the layer's; fewer than one layer.
class TransformerEncoder : public Layer {
 public:
  TransformerEncoder(const TransformerOptions& options, int layers);
  Tensor operator()(Tensor x, const Indices& lengths = {}, const Mask& mask = {}) const;

 private:
  std::vector<TransformerEncoderLayer> layers_;
  std::optional<LayerNorm> norm_;
};

}  // namespace attune
