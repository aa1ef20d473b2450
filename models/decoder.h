#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/models/decoder_state.h"
#include "attune/models/encoder.h"

namespace attune {

/// A decoder's prediction of the next token of each target.
struct Prediction {
  Tensor logits;  ///< [B, V]
  /// The attention weights over the source, [B, H, S], of each layer with attention to the source,
  /// from the first layer to the last. Empty without attention, and possibly without
  /// DecoderState::weights.
  std::vector<Tensor> weights;

  /// A single alignment for display and evaluation: the last layer's weights, averaged over its
  /// heads, [B, S]. Not defined without attention.
  Tensor alignment() const;
};

/// Known targets, for training a decoder.
struct Targets {
  Indices input;         ///< [T, B]: `<s> a b c`
  Indices lengths = {};  ///< [B]; not defined: all have T. Steps beyond a length have no influence.
  /// The probability that a step is given the correct previous token rather than the decoder's own
  /// most probable one. The choice is made once per step for the whole batch, in all of its shards
  /// (scheduled sampling, Bengio et al. 2015; draws from batch_generator()).
  double teacher_forcing = 1;
};

/// A decoder's output for known targets.
struct Decoded {
  Tensor logits;   ///< [T, B, V]; meaningless beyond a target's length
  Tensor penalty;  ///< [T, B]: what attention adds to the loss of each step; not defined: nothing
  /// [T, B]: of the positions that hard attention drew; not defined: none. See policy_loss().
  Tensor log_probability;
};

/// Base class of decoders, which generate the target token by token: steps 2 to 9 of attention, as
/// numbered in Seq2Seq. Started from `Encoded{}`, that is, without a source, a decoder is a
/// language model.
///
///     DecoderState state = decoder.start(encoded);
///     Prediction next = decoder.predict(start_tokens, state);      // the first step
///     next = decoder.predict(argmax(next.logits), state);          // the second step
///     Tensor logits = decoder(encoded, {.input = tokens}).logits;  // all steps, for training
///
/// A new decoder is a class that implements the three functions below, in a file of its own, and a
/// row of decoders().
class Decoder : public Layer {
 public:
  /// The state before the first step.
  virtual DecoderState start(const Encoded& encoded) const = 0;
  /// Computes one step from the previous tokens [B], initially Vocabulary::start, and updates
  /// `state`.
  virtual Prediction predict(const Indices& previous, DecoderState& state) const = 0;
  /// Computes all steps of known targets. With teacher_forcing 1, the logits equal those of
  /// predict() called step by step.
  virtual Decoded operator()(const Encoded& encoded, const Targets& targets) const = 0;
};

/// Makes a decoder for the states of an encoder of width `source_size`; 0: without a source.
using DecoderMaker =
    std::function<std::shared_ptr<Decoder>(const EncoderDecoderOptions&, std::int64_t source_size)>;

/// The decoders that can be chosen by name.
Family<DecoderMaker>& decoders();
/// Makes the decoder called `name`, which may be followed by options of its own; see
/// Family::make(). Errors: an unknown name (the message lists the valid ones); an unknown option,
/// or one out of range.
std::shared_ptr<Decoder> make_decoder(std::string_view name, const EncoderDecoderOptions& options,
                                      std::int64_t source_size);

}  // namespace attune
