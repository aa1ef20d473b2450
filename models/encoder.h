#pragma once

#include <optional>
#include <vector>

#include "attune/data/batch.h"
#include "attune/layers/dropout.h"
#include "attune/layers/embedding.h"
#include "attune/layers/linear.h"
#include "attune/layers/recurrent.h"
#include "attune/models/encoder_decoder_options.h"

namespace attune {

/// What an encoder makes of sources.
struct Encoded {
  /// [S, B, D]: h_s for every position, 0 beyond a source's length; not defined without attention.
  Tensor states;
  Indices lengths;  ///< [B]
  /// After each source's last step, for each layer: [B, D], the directions side by side.
  std::vector<RecurrentState> last;
};

/// Reads a source x_0 ... x_n into hidden states h_0 ... h_n: step one of attention.
///
///     e_s = embedding(x_s)
///     h_s = recurrent(e_0 ... e_n)_s + W e_s
///
/// where a recurrent network of one or two directions, its layers on top of each other, tells of
/// x_s and all around it. That makes neighbouring states much alike, and attention that looks one
/// place aside still reads what it needs: its alignments blur without a loss of accuracy. W e_s
/// puts each symbol's mark on its own state, and alignments become sharp. For the same reason
/// dropout reaches the recurrent network's input but never the states.
class Encoder : public Layer {
 public:
  explicit Encoder(const EncoderDecoderOptions& options);
  Encoded operator()(const Sources& sources) const;

 private:
  Embedding embedding_;
  Dropout dropout_;
  Recurrent recurrent_;
  std::optional<Linear> mark_;  // W; nobody would see it without attention
};

}  // namespace attune
