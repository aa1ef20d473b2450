#pragma once

#include <cstdint>
#include <string>

namespace attune {

/// The shape of an encoder-decoder: all that, beside the values of its parameters, makes it what it
/// is.
struct EncoderDecoderOptions {
  std::int64_t source_vocabulary = 0, target_vocabulary = 0;  ///< tokens; see Vocabulary::size()
  std::string cell = "gru";            ///< of encoder and decoder; a name that make_cell() knows
  std::string attention = "additive";  ///< a name that make_score() knows, or "none"
  bool bidirectional = true;           ///< the encoder reads from both ends
  int layers = 1;                      ///< on top of each other, in encoder and decoder alike
  std::int64_t embedding = 32;         ///< size of a token's vector
  std::int64_t hidden = 64;            ///< units of the encoder in each direction
  double dropout = 0;  ///< of embeddings, between layers and before the output, in training

  bool has_attention() const { return attention != "none"; }
  /// The width D of the encoder's states, which is the decoder's too: query and keys are of one
  /// size, as the dot score needs it.
  std::int64_t state_size() const { return bidirectional ? 2 * hidden : hidden; }
};

}  // namespace attune
