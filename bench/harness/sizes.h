#pragma once

#include <cstdint>

/// The workloads on which speed is measured. All use float32, random tokens of fixed length and no
/// dropout; a step is zero gradients, forward, loss, backward, Adam.
namespace bench {

/// RNNsearch (Bahdanau et al. 2015): a unidirectional GRU encoder, and a GRU decoder with additive
/// attention. The context is concatenated with the token at the decoder's input, and with the state
/// at its output.
struct RnnSearchSizes {
  std::int64_t vocabulary, embedding, hidden, attention, batch, length;
};
inline constexpr RnnSearchSizes kW1{64, 128, 256, 256, 64, 20};    // small
inline constexpr RnnSearchSizes kW2{16, 32, 64, 64, 32, 10};       // tiny
inline constexpr RnnSearchSizes kW4{4000, 256, 512, 512, 64, 30};  // big

/// Transformer (Vaswani et al. 2017), encoder and decoder of `layers` layers each, ReLU, layer norm
/// after each residual connection, sinusoidal positions.
struct TransformerSizes {
  std::int64_t vocabulary, width, heads, feed_forward;
  int layers;
  std::int64_t batch, length;
};
inline constexpr TransformerSizes kW3{64, 128, 4, 512, 2, 64, 32};

/// A language model: the decoder of a Transformer alone, with layer norm before each residual
/// connection, GELU, learned positions and a tied embedding (nanoGPT's setting for a CPU).
inline constexpr TransformerSizes kW8{65, 128, 4, 512, 4, 12, 64};

/// Scaled dot-product attention alone, forward and backward, no optimizer.
struct AttentionSizes {
  std::int64_t batch, heads, length, width;
};
inline constexpr AttentionSizes kW5{8, 8, 512, 64};

/// A chain of element-wise operations (add and tanh alternate), forward and backward, including
/// graph construction: the overhead of an operation.
struct ChainSizes {
  std::int64_t operations, elements;
};
inline constexpr ChainSizes kW6{1000, 8};

}  // namespace bench
