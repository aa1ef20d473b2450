#pragma once

#include <cstdint>
#include <string>

namespace attune {

/// The shape of a model that make_model() makes: all that, beside the values of its parameters,
/// makes it what it is. Some sizes are of one kind of model only.
struct EncoderDecoderOptions {
  std::string model = "recurrent";  ///< the name of its encoder and its decoder; see model_names()
  std::int64_t source_vocabulary = 0, target_vocabulary = 0;  ///< tokens; see Vocabulary::size()
  std::string cell = "gru";            ///< recurrent: a name that make_cell() knows
  std::string attention = "additive";  ///< recurrent: a name that make_score() knows, or "none"
  std::string normalizer = "softmax";  ///< recurrent: a name that make_normalizer() knows
  bool bidirectional = true;           ///< recurrent: the encoder reads from both ends
  bool embedding_residual = true;      ///< recurrent: see RecurrentEncoder
  int layers = 1;                      ///< on top of each other, in encoder and decoder alike
  std::int64_t embedding = 32;         ///< size of a token's vector; of a transformer's states, too
  std::int64_t hidden = 64;            ///< recurrent: units of the encoder in each direction
  double dropout = 0;  ///< in training; recurrent: of embeddings, between layers and before the
                       ///< output; transformer: of embeddings, and as in TransformerOptions
  std::int64_t heads =
      0;  ///< of attention; transformer: `embedding` is a multiple of it; 0: 1 of a
          ///< recurrent model, 4 of a transformer
  std::int64_t feed_forward = 128;  ///< transformer: see TransformerOptions

  bool has_attention() const { return model != "recurrent" || attention != "none"; }
  std::int64_t head_count() const { return heads > 0 ? heads : model == "recurrent" ? 1 : 4; }
  /// The width D of a recurrent encoder's states, which is the decoder's too: query and keys are of
  /// one size, as the dot score needs it.
  std::int64_t state_size() const { return bidirectional ? 2 * hidden : hidden; }
};

}  // namespace attune
