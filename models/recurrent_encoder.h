#pragma once

#include <optional>
#include <string>

#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/recurrent.h"
#include "attune/models/encoder.h"

namespace attune {

struct RecurrentEncoderOptions {
  std::int64_t vocabulary = 0;  ///< number of source tokens; 0: sources are frames
  std::int64_t input = 32;      ///< size E of a token's embedding, or of a frame
  std::string cell = "gru";     ///< a name that make_cell() accepts
  std::int64_t hidden = 64;     ///< units in each direction
  int layers = 1;
  bool bidirectional = true;
  double dropout = 0;                         ///< of the network's input, and between layers
  bool residual = false, layer_norm = false;  ///< see StackedOutputs
  bool states = true;              ///< false: only the last states, for decoders without attention
  bool embedding_residual = true;  ///< add W e_s to the states: see RecurrentEncoder
};

/// A recurrent network of one or two directions, its layers on top of each other (Bahdanau et al.
/// 2015, sec. 3.2).
///
///     e_s = embedding(x_s)                  or the frame itself
///     h_s = recurrent(e_0 ... e_n)_s + W e_s
///
/// W e_s is not in the paper; `embedding_residual = false` leaves it out. A recurrent state carries
/// information about its whole neighbourhood, so attention to an adjacent position works almost as
/// well, and alignments become blurred although accuracy does not suffer. W e_s makes each state
/// depend most on its own symbol, and alignments sharper. For the same reason dropout is applied to
/// the input of the recurrent network but never to its states.
///
/// Parameters: embedding.weight (of tokens), recurrent.layer0.forward.weight_ih, ... as in
/// Recurrent, and mark.weight, which is W.
/// Errors: sizes below 1; an unknown cell; a dropout outside [0, 1); tokens where frames are
/// expected, or the reverse.
class RecurrentEncoder : public Encoder {
 public:
  explicit RecurrentEncoder(const RecurrentEncoderOptions& options);
  Encoded operator()(const Source& source) const override;
  std::int64_t state_size() const override { return recurrent_.output_size(); }

 private:
  Encoded of_tokens(const Sources& tokens) const;
  Encoded of_frames(const Frames& frames) const;
  Encoded encoded(const RecurrentResult& result, const Tensor& residual,
                  const Indices& lengths) const;

  std::optional<Embedding> embedding_;
  Dropout dropout_;
  Recurrent recurrent_;
  std::optional<Linear> mark_;  // W
  bool states_;
};

std::shared_ptr<Encoder> make_recurrent_encoder(const EncoderDecoderOptions& options);

}  // namespace attune
