#pragma once

#include "attune/layers/attention/attention.h"

namespace attune {

struct MultiHeadAttentionOptions {
  std::int64_t key_size = 0;    ///< size of the keys before their projection; 0: features
  std::int64_t value_size = 0;  ///< size of the values before their projection; 0: that of the keys
  bool bias = true;             ///< of all four projections
  std::shared_ptr<const PositionalEncoding> positions = {};  ///< of self-attention; null: none
  std::int64_t layer = 0;  ///< index of the layer in its stack, for `positions` and `mixer`
  std::int64_t key_value_heads = 0;  ///< G, heads of keys and values, which divides H; 0: H
  std::string mixer = "none";        ///< a name that make_head_mixer() accepts
  bool gated = false;                ///< contexts are multiplied by sigmoid(gate(query))
  double dropout = 0;                ///< probability to drop a weight, except under Eval
};

/// Multi-head attention (Vaswani et al. 2017, sec. 3.2.2): H heads attend in parallel, each in
/// d = features / H dimensions. Equal to Attention with H heads, the scaled dot score and softmax.
///
///     Q = query(x), K = key(source), V = value(source)       linear layers; head h has columns
///                                                            d h ... d h + d - 1
///     head_h = softmax(Q_h K_h^T / sqrt(d)) V_h
///     context = out([head_1 ; ... ; head_H])
///
///     MultiHeadAttention attention(256, 8);
///     Tensor y = attention(x, lengths, Mask::causal());       // self-attention
///     Memory memory = attention.memorize(states, lengths);    // keys and values of another
///     Tensor z = attention.attend(x, memory).context;         // sequence, projected only once
///
/// Shapes: x, query [T, B, features], source [S, B, key_size] -> [T, B, features]. Positions beyond
/// a length may hold anything, including NaN: they have no influence on any value or gradient.
/// The further options are those of Attention with heads.
/// Parameters: query, key, value and out, each with weight and bias as in Linear; gate.weight,
/// mixer.* and positions.* with those options. PyTorch's
/// in_proj_weight is the concatenation of query.weight, key.weight and value.weight along axis 0.
/// Errors: features is not a multiple of the number of heads, or that of heads not one of
/// key_value_heads; an unknown mixer; dropout outside [0, 1); sizes or lengths that do not match.
class MultiHeadAttention : public Attention {
 public:
  MultiHeadAttention(std::int64_t features, std::int64_t heads,
                     const MultiHeadAttentionOptions& options = {});

  /// Self-attention. The output is 0 beyond a sequence's length.
  Tensor operator()(const Tensor& x, const Indices& lengths = {}, const Mask& mask = {}) const;

  std::int64_t features() const { return features_; }

 private:
  explicit MultiHeadAttention(const AttentionHeads& heads);

  std::int64_t features_;
};

}  // namespace attune
