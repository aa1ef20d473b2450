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
#include "attune/models/decoder.h"

namespace attune {

class KnownInput;

struct RecurrentDecoderOptions {
  std::int64_t vocabulary = 0;   ///< V
  std::int64_t source_size = 0;  ///< D of the encoder's states; 0: a language model, no source
  std::string cell = "gru";      ///< a name that make_cell() accepts
  std::int64_t embedding = 32;   ///< size of a token's embedding
  std::int64_t size = 128;       ///< of the decoder's states
  int layers = 1;
  double dropout = 0;                  ///< of embeddings, between layers and before the output
  std::string attention = "additive";  ///< a name that make_score() accepts, or "none"
  std::string normalizer = "softmax";  ///< a name that make_normalizer() accepts
  std::string locality = "global";     ///< a name that make_locality() accepts
  std::int64_t attention_hidden = 64;  ///< units of a score that is a network
  std::int64_t heads = 1;              ///< of attention; `size` is a multiple of it
};

/// A recurrent network that attends to the source before every step (Bahdanau et al. 2015, sec.
/// 3.1). Step t computes, from the previous state s_{t-1}, the previous token y_{t-1} and the
/// encoder's states h:
///
///     c_t, a_t = attention(query s_{t-1}, keys and values h)   context and weights
///     s_t      = cell([embedding(y_{t-1}) ; c_t], s_{t-1})     one or more layers
///     logits_t = W [s_t ; c_t] + b                             of the token y_t
///
/// The first state is s_{-1} = tanh(W h_last + b), the bridge from Encoded::summary(). Without
/// attention there is no c_t, and the bridge is the only connection to the source; without a source
/// the first state is 0.
///
/// Parameters: embedding.weight, output.weight, output.bias, attention. ... as in Attention,
/// layer0.weight_ih, ... as in RecurrentCell, bridge0_h.weight, ...; of LSTMs bridge0_c too.
/// Errors: sizes below 1; an unknown cell, score or normaliser; a dropout outside [0, 1).
class RecurrentDecoder : public Decoder {
 public:
  explicit RecurrentDecoder(const RecurrentDecoderOptions& options);

  DecoderState start(const Encoded& encoded) const override;
  Prediction predict(const Indices& previous, DecoderState& state) const override;
  Decoded operator()(const Encoded& encoded, const Targets& targets) const override;

 private:
  struct Bridge {
    Linear h;
    std::optional<Linear> c;
  };

  void begin(DecoderState& state, std::int64_t batch) const;
  /// The embedded tokens [..., B], as the first cell takes them.
  KnownInput embed(const Indices& tokens) const;
  /// Steps two to eight of attention; returns the result of attend().
  AttentionResult step(const KnownInput& previous, DecoderState& state, bool weights) const;
  /// [s ; c] [B, size + D], or s without attention.
  Tensor combined(const DecoderState& state, const AttentionResult& found) const;
  /// Logits [..., V] from combined states [..., size + D].
  Tensor output(const Tensor& combined) const;
  Indices most_probable(const Tensor& combined) const;

  Embedding embedding_;
  Dropout dropout_;
  std::optional<Attention> attention_;
  std::vector<std::shared_ptr<RecurrentCell>> cells_;
  std::vector<Bridge> bridges_;
  Linear output_;
};

std::shared_ptr<Decoder> make_recurrent_decoder(const EncoderDecoderOptions& options,
                                                std::int64_t source_size);

}  // namespace attune
