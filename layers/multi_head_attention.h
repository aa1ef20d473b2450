#pragma once

#include "attune/layers/attention.h"
#include "attune/layers/linear.h"

namespace attune {

struct MultiHeadAttentionOptions {
  std::int64_t key_size = 0;    ///< features of what keys are made from; 0: those of the queries
  std::int64_t value_size = 0;  ///< features of what values are made from; 0: those of the keys
  bool bias = true;             ///< of all four projections
};

/// How to ask: see MultiHeadAttention::attend().
struct AttendOptions {
  bool causal = false;   ///< each query sees the keys up to its own position, where the last query
                         ///< stands at the last key
  bool weights = false;  ///< give the weights, too
};

struct MultiHeadResult {
  Tensor output;   ///< [T, B, features]
  Tensor weights;  ///< [B, H, T, S], of each head and never averaged; not defined unless asked for
};

/// Multi-head attention (Vaswani et al. 2017, sec. 3.2.2): H heads look for different things at
/// once, each in d = features / H dimensions of its own.
///
///     Q = query(x), K = key(source), V = value(source)       linear maps; rows shared out to heads
///     head_h = softmax(Q_h K_h^T / sqrt(d)) V_h
///     output = out([head_1 ; ... ; head_H])
///
///     MultiHeadAttention attention(256, 8);
///     Tensor y = attention(x, lengths);                       // a sequence attends to itself
///     Memory memory = attention.memorize(states, lengths);    // or to another one, which is
///     Tensor z = attention.attend(x, memory).output;          // projected only once
///
/// Shapes: x, query [T, B, features], source [S, B, key_size] -> [T, B, features]. What lies beyond
/// a length may hold anything, NaN included: it has no influence on any value or gradient.
/// Parameters: query, key, value and out, each with weight and bias as in Linear. PyTorch's
/// in_proj_weight is query.weight, key.weight and value.weight one below the other.
/// Errors: features are no multiple of the heads; sizes and lengths that do not fit.
class MultiHeadAttention : public Layer {
 public:
  MultiHeadAttention(std::int64_t features, std::int64_t heads,
                     const MultiHeadAttentionOptions& options = {});

  /// Takes in a source, whose length may differ from sequence to sequence: keys and values are
  /// projected, once.
  Memory memorize(const Tensor& source, const Indices& lengths = {}) const;
  /// The same with values made from another sequence than keys.
  Memory memorize(const Tensor& keys, const Tensor& values, const Indices& lengths = {}) const;
  /// A memory without lengths, and `more` positions [N, B, key_size] behind it: in decoding the new
  /// position is projected and the earlier ones are not again. An empty memory is a beginning.
  Memory append(const Memory& memory, const Tensor& more) const;

  /// Asks with T queries for each sequence. A query that may look nowhere gets out(0).
  MultiHeadResult attend(const Tensor& query, const Memory& memory,
                         const AttendOptions& options = {}) const;

  /// A sequence attends to itself. The output is 0 beyond its length.
  Tensor operator()(const Tensor& x, const Indices& lengths = {}, bool causal = false) const;

  std::int64_t features() const { return query_.in(); }
  std::int64_t heads() const { return heads_; }

 private:
  std::int64_t heads_;
  Linear query_, key_, value_, out_;
};

}  // namespace attune
