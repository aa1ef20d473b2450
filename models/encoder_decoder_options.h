#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "attune/autograd/array/arguments.h"

namespace attune {

/// The architecture of a model for make_model(): everything that defines it except the values of
/// its parameters. An option marked "recurrent" or "transformer" applies to that kind of model
/// only.
struct EncoderDecoderOptions {
  std::string model = "recurrent";  ///< name of the encoder and the decoder; see model_names()
  std::string encoder = {};         ///< a name that make_encoder() accepts; default `model`
  std::string decoder = {};         ///< a name that make_decoder() accepts; default `model`
  std::int64_t source_vocabulary = 0, target_vocabulary = 0;  ///< tokens; see Vocabulary::size()
  std::string cell = "gru";            ///< recurrent: a name that make_cell() accepts
  std::string attention = "additive";  ///< recurrent: a name that make_score() accepts, or "none"
  std::string normalizer = "softmax";  ///< recurrent: a name that make_normalizer() accepts
  std::string locality = "global";     ///< recurrent: a name that make_locality() accepts
  bool bidirectional = true;           ///< recurrent: the encoder runs in both directions
  bool embedding_residual = true;      ///< recurrent: see RecurrentEncoder
  bool residual = false;               ///< recurrent: see StackedOutputs
  bool layer_norm = false;             ///< recurrent: see StackedOutputs
  std::string query = "previous";      ///< recurrent: "previous" or "current"; see RecurrentDecoder
  bool input_feeding = false;          ///< recurrent: see RecurrentDecoder
  std::string output_layer = "linear";  ///< recurrent: a name that make_output_layer() accepts
  std::optional<int> layers = {};  ///< number of layers of the encoder, and of the decoder; default
                                   ///< 1, for a transformer 2
  std::optional<std::int64_t> embedding = {};  ///< size of token embeddings, and of all states of a
                                               ///< transformer; default 32, for a transformer 128
  std::int64_t hidden = 64;  ///< recurrent: units of the encoder in each direction
  double dropout = 0;  ///< probability; recurrent: of embeddings, between layers and before the
                       ///< output; transformer: of embeddings, and as in TransformerOptions
  std::optional<std::int64_t> heads = {};  ///< attention heads; default 1, for a transformer 4;
                                           ///< a transformer's must divide `embedding`
  std::optional<std::int64_t> feed_forward = {};  ///< transformer: see TransformerOptions; default
                                                  ///< 4 times `embedding`
  std::string positions = "sinusoidal";   ///< transformer: a name that make_positional_encoding()
                                          ///< accepts
  std::string decoder_positions = {};     ///< those of a transformer decoder, if not `positions`
  std::string activation = "relu";        ///< transformer: a name that FeedForward accepts
  std::string norm = "pre";               ///< transformer: "pre" or "post"; see Residual
  std::string norm_layer = "layer_norm";  ///< transformer: a name that make_norm_layer() accepts
  std::string tied_embeddings = "none";   ///< transformer: "target": the output's weight is that of
                                          ///< the target's embedding; "all": and of the source's
  std::optional<std::int64_t> key_value_heads = {};  ///< transformer: heads of keys and values; a
                                                     ///< divisor of `heads`, which is the default
  std::string sequence_mixer = "attention";  ///< transformer: a name that make_sequence_mixer()
                                             ///< accepts, in the place of self-attention
  std::string head_mixer = "none";           ///< transformer: a name that make_head_mixer() accepts
  bool gated_attention = false;              ///< transformer: see MultiHeadAttentionOptions
  double attention_dropout = 0;  ///< transformer: probability to drop a weight of attention

  std::vector<std::int32_t> copied_as = {};  ///< see OutputLayerOptions
  Arguments arguments = {};                  ///< options of that encoder or decoder alone

  const std::string& encoder_name() const { return encoder.empty() ? model : encoder; }
  const std::string& decoder_name() const { return decoder.empty() ? model : decoder; }
  /// Whether the default values of the options are those of a transformer.
  bool is_transformer() const { return model == "transformer"; }
  /// The options of transformers apply if encoder, decoder or both are one, and those of recurrent
  /// models unless both are.
  bool has_transformer() const {
    return encoder_name() == "transformer" || decoder_name() == "transformer";
  }
  bool has_recurrent() const {
    return encoder_name() != "transformer" || decoder_name() != "transformer";
  }
  bool has_attention() const { return decoder_name() != "recurrent" || attention != "none"; }
  int layer_count() const { return layers.value_or(is_transformer() ? 2 : 1); }
  std::int64_t embedding_size() const { return embedding.value_or(is_transformer() ? 128 : 32); }
  std::int64_t head_count() const { return heads.value_or(is_transformer() ? 4 : 1); }
  std::int64_t key_value_head_count() const { return key_value_heads.value_or(head_count()); }
  std::int64_t feed_forward_size() const { return feed_forward.value_or(4 * embedding_size()); }
  /// The width D of the states of a recurrent encoder. The states of its decoder are equally wide,
  /// since the dot score requires queries and keys of the same size.
  std::int64_t state_size() const { return bidirectional ? 2 * hidden : hidden; }
};

}  // namespace attune
