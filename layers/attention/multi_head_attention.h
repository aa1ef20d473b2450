#pragma once

#include "attune/layers/attention/attention.h"

namespace attune {

struct MultiHeadAttentionOptions {
  std::int64_t key_size = 0;    ///< features of what keys are made from; 0: those of the queries
  std::int64_t value_size = 0;  ///< features of what values are made from; 0: those of the keys
  bool bias = true;             ///< of all four projections
};

/// Multi-head attention (Vaswani et al. 2017, sec. 3.2.2): H heads look for different things at
/// once, each in d = features / H dimensions of its own. It is Attention with heads, scaled dot
/// products and softmax.
///
///     Q = query(x), K = key(source), V = value(source)       linear maps; rows shared out to heads
///     head_h = softmax(Q_h K_h^T / sqrt(d)) V_h
///     context = out([head_1 ; ... ; head_H])
///
///     MultiHeadAttention attention(256, 8);
///     Tensor y = attention(x, lengths, Mask::causal());       // a sequence attends to itself
///     Memory memory = attention.memorize(states, lengths);    // or to another one, which is
///     Tensor z = attention.attend(x, memory).context;         // projected only once
///
/// Shapes: x, query [T, B, features], source [S, B, key_size] -> [T, B, features]. What lies beyond
/// a length may hold anything, NaN included: it has no influence on any value or gradient.
/// Parameters: query, key, value and out, each with weight and bias as in Linear. PyTorch's
/// in_proj_weight is query.weight, key.weight and value.weight one below the other.
/// Errors: features are no multiple of the heads; sizes and lengths that do not fit.
class MultiHeadAttention : public Attention {
 public:
  MultiHeadAttention(std::int64_t features, std::int64_t heads,
                     const MultiHeadAttentionOptions& options = {});

  /// A sequence attends to itself. The output is 0 beyond its length.
  Tensor operator()(const Tensor& x, const Indices& lengths = {}, const Mask& mask = {}) const;

  std::int64_t features() const { return features_; }

 private:
  std::int64_t features_;
};

}  // namespace attune
