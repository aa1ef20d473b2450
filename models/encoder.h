#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/layers/layer.h"
#include "attune/layers/recurrent_cell.h"
#include "attune/models/encoder_decoder_options.h"
#include "attune/models/source.h"

namespace attune {

/// An encoder's output for a batch of sources. `Encoded{}` stands for no source, which is what a
/// language model starts from.
struct Encoded {
  /// [S, B, D]: h_s for every position, 0 beyond a source's length. Not defined if they are not
  /// needed, that is, without attention.
  Tensor states;
  Indices lengths;  ///< [B]; not defined: all have S
  /// The state of each recurrent layer after each source's last step, [B, D]. Empty if the encoder
  /// has no recurrent layers.
  std::vector<RecurrentState> last;
  Indices tokens =
      {};  ///< [S, B]: the source's tokens, which Seq2Seq sets; not defined: it has none

  /// A summary of each source in one vector, [B, D], to initialise layer `layer` of a decoder: the
  /// last state of that layer of the encoder, or of its top layer if it has fewer; without
  /// recurrent layers, the mean of the states (Xu et al. 2015, sec. 3.1.2). Errors: neither is
  /// defined.
  RecurrentState summary(std::size_t layer) const;
};

/// Base class of encoders, which map a source x_0 ... x_n to hidden states h_0 ... h_n: step 1 of
/// attention, as numbered in Seq2Seq.
///
/// A new encoder is a class that implements the two functions below, in a file of its own, and a
/// row of encoders().
class Encoder : public Layer {
 public:
  /// Encodes a batch of sources. Errors: a kind of source that the encoder does not accept.
  virtual Encoded operator()(const Source& source) const = 0;
  /// D, the width of the states.
  virtual std::int64_t state_size() const = 0;
};

using EncoderMaker = std::function<std::shared_ptr<Encoder>(const EncoderDecoderOptions&)>;

/// The encoders that can be chosen by name.
Family<EncoderMaker>& encoders();
/// Makes the encoder of source tokens called `name`, which may be followed by options of its own,
/// as in "convolutional:width=5"; see Family::make(). Errors: an unknown name (the message lists
/// the valid ones); an unknown option, or one out of range.
std::shared_ptr<Encoder> make_encoder(std::string_view name, const EncoderDecoderOptions& options);

}  // namespace attune
