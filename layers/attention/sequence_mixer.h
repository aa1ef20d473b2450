#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/array/indices.h"
#include "attune/layers/layer.h"

namespace attune {

/// What a mixer keeps of the positions so far; its size does not depend on their number.
/// `MixerState{}` is the state before the first position.
struct MixerState {
  Tensor memory;  ///< [B, ...]: what has been written
  Tensor recent;  ///< [B, ...]: the latest inputs of a short convolution, if there is one
  std::int64_t positions = 0;  ///< the number of positions so far

  /// The state of the given rows of the batch, in this order. Rows may repeat, as in a beam search.
  /// Errors: a row out of range.
  MixerState select(const Indices& rows) const;
};

/// The outputs of all positions, and the state after the last one.
struct Mixed {
  Tensor output;
  MixerState state;
};

/// Base class of what takes the place of self-attention in the layers of a Transformer: each
/// position gets information of itself and of those before it, by way of a state of fixed size
/// instead of their keys and values. There are no scores, so nothing can be masked, rotated or
/// drawn, and the order of positions is known without a positional encoding.
///
/// A new mixer is a small class in a file of its own, and a row of sequence_mixers().
class SequenceMixer : public Layer {
 public:
  /// The positions x [T, B, F] that follow those of `state` -> [T, B, F]. One position after
  /// another gives the same as all at once, up to rounding. A position has no influence on those
  /// before it, but all values must be finite.
  virtual Mixed operator()(const Tensor& x, const MixerState& state) const = 0;
};

/// What a mixer that is chosen by name is made from.
struct SequenceMixerOptions {
  std::int64_t features = 0;  ///< F
  std::int64_t heads = 1;     ///< H
  Arguments arguments = {};   ///< options of that mixer alone
};

using SequenceMixerMaker =
    std::function<std::shared_ptr<SequenceMixer>(const SequenceMixerOptions&)>;

/// The mixers that can be chosen by name. "attention" is self-attention itself, and is made as a
/// null pointer.
Family<SequenceMixerMaker>& sequence_mixers();
/// Makes the mixer called `name`, which may be followed by options of its own, as in
/// "mamba:state=8"; see Family::make(). Errors: an unknown name (the message lists the valid ones);
/// an unknown option, or a value out of its range; features that cannot be divided among the heads.
std::shared_ptr<SequenceMixer> make_sequence_mixer(std::string_view name,
                                                   const SequenceMixerOptions& options);
/// The names that make_sequence_mixer() accepts.
std::vector<std::string> sequence_mixer_names();

/// Two mixers, of which one reads sequences forwards and the other backwards, each from its own
/// end: in their sum each position depends on all others, as in an encoder.
///
/// Shapes: x [T, B, F], lengths [B] (not defined: all T) -> [T, B, F]. Positions beyond a length
/// may hold anything, including NaN: they have no influence on any value or gradient, and the
/// output there is 0.
/// Parameters: forward.* and backward.*, as in the mixer.
class BidirectionalMixer : public Layer {
 public:
  /// Errors: as make_sequence_mixer(); the name is "attention".
  BidirectionalMixer(std::string_view name, const SequenceMixerOptions& options);
  Tensor operator()(const Tensor& x, const Indices& lengths = {}) const;

 private:
  std::shared_ptr<SequenceMixer> forward_, backward_;
};

}  // namespace attune
