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

/// What an encoder makes of sources. Nothing at all, `Encoded{}`, stands for no source: what a
/// language model goes on from.
struct Encoded {
  /// [S, B, D]: h_s for every position, 0 beyond a source's length. Not defined where nobody
  /// attends to them.
  Tensor states;
  Indices lengths;  ///< [B]; not defined: all have S
  /// After each source's last step, for each recurrent layer: [B, D]. Empty: there are none.
  std::vector<RecurrentState> last;

  /// All of a source in one vector, [B, D], for layer `layer` of what goes on from it: that layer's
  /// last state, or the top one's where there are fewer; of an encoder without, the mean of its
  /// states (Xu et al. 2015, sec. 3.1.2). Errors: there is neither.
  RecurrentState summary(std::size_t layer) const;
};

/// Reads a source x_0 ... x_n into hidden states h_0 ... h_n: step one of attention.
///
/// A new encoder is one file with a class that has the two functions below, and a row of
/// encoders().
class Encoder : public Layer {
 public:
  virtual Encoded operator()(const Source& source) const = 0;
  /// D, the width of its states.
  virtual std::int64_t state_size() const = 0;
};

using EncoderMaker = std::function<std::shared_ptr<Encoder>(const EncoderDecoderOptions&)>;

/// The encoders that can be chosen by name.
Family<EncoderMaker>& encoders();
/// An encoder of source tokens by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<Encoder> make_encoder(std::string_view name, const EncoderDecoderOptions& options);

}  // namespace attune
