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

/// What a decoder that copies tokens predicts to be copied.
struct Copying {
  /// [B, S]: the probability that the token of each source position is copied; not defined: the
  /// decoder does not copy
  Tensor weights = {};
  CopiedTokens tokens = {};  ///< what these tokens are copied as
};

/// Logits x W^T + b that are yet to be computed.
struct LinearLogits {
  Tensor x;       ///< [B, C]; not defined: the logits have been computed
  Tensor weight;  ///< [V, C]
  Tensor bias;    ///< [V]

  /// The logits [R, V] of the given rows [R] of the batch. Errors: a row out of range.
  Tensor of(const Indices& rows) const;
};

/// A decoder's prediction of the next token of each target.
struct Prediction {
  /// [B, V], or [B, N] with N = CopiedTokens::size() if the decoder copies tokens: tokens from
  /// CopiedTokens::vocabulary of its source on have no meaning for a target. Possibly not defined
  /// without DecoderState::logits; `linear` then is.
  Tensor logits;
  /// The attention weights over the source, [B, H, S], of each layer with attention to the source,
  /// from the first layer to the last. Empty without attention, and possibly without
  /// DecoderState::weights.
  std::vector<Tensor> weights;
  Copying copying = {};
  LinearLogits linear = {};

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
  /// lambda of the coverage loss: see Decoded::penalty. 0: none.
  double coverage_loss = 0;
};

/// A decoder's output for known targets.
struct Decoded {
  Tensor logits;  ///< [T, B, V], as in Prediction; meaningless beyond a target's length
  /// [T, B]: what is added to the loss of each step; not defined: nothing. It is the penalty of
  /// attention, and the coverage loss lambda sum_s min(a_s, c_s), where a_s are the weights of the
  /// step, the mean over the heads, and c_s is the sum of those of all steps before it (See et al.
  /// 2017, eq. 12 and 13).
  Tensor penalty;
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
  /// The number of source tokens that an encoder reads, if the decoder can also copy tokens which
  /// are beyond them, and which an encoder reads as `<unk>`; see ExtendedVocabulary. 0: it cannot.
  virtual std::int64_t copied_vocabulary() const { return 0; }
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
