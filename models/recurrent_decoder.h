#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "attune/layers/attention/attention.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/layers/stacked_outputs.h"
#include "attune/models/decoder.h"

namespace attune {

struct RecurrentDecoderOptions {
  std::int64_t vocabulary = 0;   ///< V
  std::int64_t source_size = 0;  ///< D of the encoder's states; 0: a language model, no source
  std::string cell = "gru";      ///< a name that make_cell() accepts
  std::int64_t embedding = 32;   ///< size of a token's embedding
  std::int64_t size = 128;       ///< of the decoder's states
  int layers = 1;
  bool residual = false, layer_norm = false;  ///< see StackedOutputs
  double dropout = 0;                   ///< of embeddings, between layers and before the output
  std::string query = "previous";       ///< or "current"
  bool input_feeding = false;           ///< with the current query: c~_{t-1} is part of the input
  std::string attention = "additive";   ///< a name that make_score() accepts, or "none"
  std::string normalizer = "softmax";   ///< a name that make_normalizer() accepts
  std::string locality = "global";      ///< a name that make_locality() accepts
  std::int64_t attention_hidden = 64;   ///< units of a score that is a network
  std::int64_t heads = 1;               ///< of attention; `size` is a multiple of it
  std::string output_layer = "linear";  ///< a name that make_output_layer() accepts
  std::vector<std::int32_t> copied_as = {};  ///< see OutputLayerOptions
};

/// A recurrent network that attends to the source at every step. With the query "previous"
/// (Bahdanau et al. 2015, sec. 3.1), step t computes, from the previous state s_{t-1}, the previous
/// token y_{t-1} and the encoder's states h:
///
///     c_t, a_t = attention(query s_{t-1}, keys and values h)   context and weights
///     s_t      = cell([embedding(y_{t-1}) ; c_t], s_{t-1})     one or more layers
///     logits_t = W [s_t ; c_t] + b                             of the token y_t; see OutputLayer
///
/// With the query "current" (Luong et al. 2015, sec. 3, eq. 5 and 6), attention follows the cell:
///
///     s_t      = cell(embedding(y_{t-1}), s_{t-1})
///     c_t, a_t = attention(query s_t, keys and values h)
///     c~_t     = tanh(W_c [s_t ; c_t] + b_c)
///     logits_t = W c~_t + b
///
/// and with input feeding (sec. 3.3) the cell's input is [embedding(y_{t-1}) ; c~_{t-1}].
///
/// The first state is s_{-1} = tanh(W h_last + b), the bridge from Encoded::summary(). Without
/// attention there is no c_t, and the bridge is the only connection to the source; without a source
/// the first state is 0. With several layers, the query is the state of the top layer, and s_t in
/// the last line is its output; see StackedOutputs.
///
/// Parameters: embedding.weight, output.weight, output.bias (or as in the output layer), attention.
/// ... as in Attention, layer0.weight_ih, ... as in RecurrentCell, bridge0_h.weight, ...; of LSTMs
/// bridge0_c too; with the current query combine.weight and combine.bias (W_c, b_c); with
/// layer_norm, stack.norm0.weight, ....
/// Errors: sizes below 1; an unknown cell, score, normaliser or output layer; a dropout outside
/// [0, 1); input feeding without the current query; without attention, the current query or an
/// output layer that reads weights.
class RecurrentDecoder : public Decoder {
 public:
  explicit RecurrentDecoder(const RecurrentDecoderOptions& options);

  DecoderState start(const Encoded& encoded) const override;
  Prediction predict(const Indices& previous, DecoderState& state) const override;
  Decoded operator()(const Encoded& encoded, const Targets& targets) const override;
  std::int64_t copied_vocabulary() const override { return output_->copied_vocabulary(); }

 private:
  struct Bridge {
    Linear h;
    std::optional<Linear> c;
  };

  /// The previous token of a step, or those of all steps.
  struct Previous;
  /// The result of a step.
  struct Step {
    AttentionResult attention;
    OutputInput output;
  };

  void begin(DecoderState& state, std::int64_t batch) const;
  /// Tokens beyond the vocabulary, which were copied, are `<unk>` to the next step.
  Indices known(const Indices& tokens) const;
  Previous embed(const Indices& tokens) const;
  Previous embed(const Indices& tokens, const Indices& lengths) const;
  /// Steps two to eight of attention.
  Step step(const Previous& previous, DecoderState& state, bool weights) const;
  AttentionResult attend(DecoderState& state, bool weights) const;
  /// The state and the context as one, [B, C]; the state alone without attention.
  Tensor combined(const Tensor& state, const Tensor& context) const;
  /// Logits [..., B, V].
  Tensor output(OutputInput input, const OutputSource& source) const;
  Indices most_probable(const OutputInput& input, const OutputSource& source) const;

  Embedding embedding_;
  Dropout dropout_;
  std::optional<Attention> attention_;
  std::vector<std::shared_ptr<RecurrentCell>> cells_;
  StackedOutputs stack_;
  std::vector<Bridge> bridges_;
  std::optional<Linear> combine_;  // W_c, b_c, with the current query
  bool input_feeding_;
  std::shared_ptr<OutputLayer> output_;
  OutputReads reads_;
};

std::shared_ptr<Decoder> make_recurrent_decoder(const EncoderDecoderOptions& options,
                                                std::int64_t source_size);

}  // namespace attune
