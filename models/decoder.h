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

/// What a decoder says of the next token of each target.
struct Prediction {
  Tensor logits;  ///< [B, V]
  /// Where this step looked in the source: [B, H, S], for each layer that does, the first one's
  /// first. Empty without attention.
  std::vector<Tensor> weights;

  /// One alignment of all heads, for eyes and measures: the mean over the heads of the last layer,
  /// [B, S]. Not defined without attention.
  Tensor alignment() const;
};

/// Targets as a decoder in training is told them.
struct Targets {
  Indices input;    ///< [T, B]: `<s> a b c`
  Indices lengths;  ///< [B]; not defined: all have T. What follows has no influence.
  /// With this probability a step is told the right token before it, else the decoder's own most
  /// probable one, for the whole batch, in all of its shards (scheduled sampling,
  /// Bengio et al. 2015; draws from batch_generator()).
  double teacher_forcing = 1;
};

/// What a decoder makes of targets.
struct Decoded {
  Tensor logits;   ///< [T, B, V]; beyond a target's length they mean nothing
  Tensor penalty;  ///< [T, B]: what attention adds to the loss of each step; not defined: nothing
};

/// Writes the target, token after token: steps two to nine of attention. Without a source, started
/// from `Encoded{}`, it is a language model.
///
///     DecoderState state = decoder.start(encoded);
///     Prediction next = decoder.predict(start_tokens, state);      // one step, and the next one
///     next = decoder.predict(argmax(next.logits), state);
///     Tensor logits = decoder(encoded, {.input = tokens}).logits;  // all steps, for training
///
/// A new decoder is one file with a class that has the three functions below, and a row of
/// decoders().
class Decoder : public Layer {
 public:
  /// The state before the first step.
  virtual DecoderState start(const Encoded& encoded) const = 0;
  /// One step: takes in the token before, [B], which is Vocabulary::start at first, and moves the
  /// state on.
  virtual Prediction predict(const Indices& previous, DecoderState& state) const = 0;
  /// All steps of known targets. With teacher_forcing 1 the logits are those of predict() step by
  /// step.
  virtual Decoded operator()(const Encoded& encoded, const Targets& targets) const = 0;
};

/// Makes a decoder of target tokens for states of an encoder of that size; 0: without a source.
using DecoderMaker =
    std::function<std::shared_ptr<Decoder>(const EncoderDecoderOptions&, std::int64_t source_size)>;

/// The decoders that can be chosen by name.
Family<DecoderMaker>& decoders();
/// A decoder by name. Errors: an unknown name; the message lists the known ones.
std::shared_ptr<Decoder> make_decoder(std::string_view name, const EncoderDecoderOptions& options,
                                      std::int64_t source_size);

}  // namespace attune
