#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "attune/layers/attention/attention.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder_options.h"

namespace attune {

/// What a decoder carries from step to step.
struct DecoderState {
  std::vector<RecurrentState> layers;
  /// The state that asks: the top layer's.
  const Tensor& query() const { return layers.back().h; }
};

/// What comes of one step.
struct DecoderStep {
  DecoderState state;
  Tensor context;  ///< [B, D]; not defined without attention
  Tensor weights;  ///< [B, S]: where this step looked; not defined without attention
};

/// Writes the target, token after token (Bahdanau et al. 2015, sec. 3.1). For each step t, with the
/// state s_{t-1} and the token y_{t-1} before it, and the encoder's states h:
///
///     a_t, c_t = attention(query s_{t-1}, keys and values h)   where to look, and what is there
///     s_t      = cell([embedding(y_{t-1}) ; c_t], s_{t-1})     layers on top of each other
///     logits_t = W [s_t ; c_t] + b                             of the token y_t
///
/// It starts from s_{-1} = tanh(W h_last + b), the bridge from the encoder's last states. Without
/// attention there is no c_t, and this bridge is all that it knows of the source.
class Decoder : public Layer {
 public:
  explicit Decoder(const EncoderDecoderOptions& options);

  /// Logits [T, B, V] of all steps for target_input [T, B]. Beyond its length, of `lengths` [B], a
  /// target's tokens have no influence, whatever their vectors hold; its logits there mean nothing.
  /// With probability `teacher_forcing` a step is told the right token before it, else the most
  /// probable one by its own lights, for the whole batch, in all of its shards (scheduled sampling,
  /// Bengio et al. 2015; draws from batch_generator()).
  Tensor operator()(const Encoded& encoded, const Indices& target_input,
                    const Indices& lengths = {}, double teacher_forcing = 1) const;

  /// The parts, for a search. What attention keeps of the source; empty without attention.
  Memory memorize(const Encoded& encoded) const;
  /// The state before the first step.
  DecoderState start(const Encoded& encoded) const;
  /// What the first cell takes from the tokens before, ids [...] -> [..., G H]: the product of its
  /// W_ih with their vectors.
  ProjectedInput read(const Indices& tokens) const;
  /// One step from what read() made of the tokens before it, [B, G H].
  DecoderStep step(const ProjectedInput& previous, const DecoderState& state,
                   const Memory& memory) const;
  /// Logits [..., V] from states [..., D] and contexts [..., D].
  Tensor output(const Tensor& states, const Tensor& contexts) const;

 private:
  struct Bridge {
    Linear h;
    std::optional<Linear> c;
  };

  Embedding embedding_;
  Dropout dropout_;
  std::optional<Attention> attention_;
  std::vector<std::shared_ptr<RecurrentCell>> cells_;
  std::vector<Bridge> bridges_;
  Linear output_;
};

}  // namespace attune
