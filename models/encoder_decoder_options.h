#pragma once

#include <cstdint>
#include <optional>
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
  std::optional<int> layers = {};  ///< on top of each other, in encoder and decoder alike; if not
                                   ///< set, 1 of a recurrent model, 2 of a transformer
  std::optional<std::int64_t> embedding = {};  ///< size of a token's vector, and of all states of a
                                               ///< transformer; 32 or, of a transformer, 128
  std::int64_t hidden = 64;  ///< recurrent: units of the encoder in each direction
  double dropout = 0;  ///< in training; recurrent: of embeddings, between layers and before the
                       ///< output; transformer: of embeddings, and as in TransformerOptions
  std::optional<std::int64_t> heads = {};  ///< of attention; 1 or, of a transformer, 4, of which
                                           ///< `embedding` is a multiple
  std::optional<std::int64_t> feed_forward = {};  ///< transformer: see TransformerOptions; 4 times
                                                  ///< `embedding`

  bool is_transformer() const { return model == "transformer"; }
  bool has_attention() const { return model != "recurrent" || attention != "none"; }
  int layer_count() const { return layers.value_or(is_transformer() ? 2 : 1); }
  std::int64_t embedding_size() const { return embedding.value_or(is_transformer() ? 128 : 32); }
  std::int64_t head_count() const { return heads.value_or(is_transformer() ? 4 : 1); }
  std::int64_t feed_forward_size() const { return feed_forward.value_or(4 * embedding_size()); }
  /// The width D of a recurrent encoder's states, which is the decoder's too: query and keys are of
  /// one size, as the dot score needs it.
  std::int64_t state_size() const { return bidirectional ? 2 * hidden : hidden; }
};

}  // namespace attune
