#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/data/batch.h"
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder_options.h"

namespace attune {

struct LossOptions {
  double teacher_forcing = 1;  ///< see Targets
  double label_smoothing = 0;  ///< see cross_entropy()
};

struct Seq2SeqResult {
  Tensor loss;    ///< one number
  Tensor logits;  ///< [T, B, V]; beyond a target's length they mean nothing
};

/// An encoder and a decoder: a model that turns sequences into others, one token after the other,
/// in the textbook's nine steps of attention:
///
///     1. encode           Encoder: x_0 ... x_n become h_0 ... h_n
///     2. query            DecoderState::query(): s_{t-1}
///     3. keys and values  Decoder::start(): the states h, looked at once by Attention::memorize()
///     4. score            AttentionScore: how well the query fits each key
///     5. weights          Normalizer: scores become weights
///     6. weighted sum     Attention::attend(): of the values, by the weights
///     7. context          AttentionResult::context, c_t
///     8. combine          RecurrentDecoder::step(): c_t beside token and state
///     9. repeat           Decoder::operator() in training, greedy_search() in use
///
/// (In a Transformer steps 2 to 8 are those of each layer, for all positions at once.) Any encoder
/// goes with any decoder; without an encoder it is a language model, which reads nothing.
///
///     Seq2Seq model(std::make_shared<RecurrentEncoder>(encoder_options),
///                   std::make_shared<RecurrentDecoder>(decoder_options));
///     model.loss(batch).backward();
///
/// Parameters: encoder. ... and decoder. ... as in those.
class Seq2Seq : public Layer {
 public:
  Seq2Seq(std::shared_ptr<Encoder> encoder, std::shared_ptr<Decoder> decoder);
  /// A language model.
  explicit Seq2Seq(std::shared_ptr<Decoder> decoder);

  /// Logits [T, B, V] of each target token, given those before it.
  Tensor operator()(const Batch& batch, double teacher_forcing = 1) const;

  /// The loss: mean cross-entropy of the targets, in nats a token, and what attention adds to it,
  /// likewise a token.
  Tensor loss(const Batch& batch, const LossOptions& options = {}) const;
  /// The same with the logits; `batch` tells the targets, and a source of any kind stands in for
  /// its own.
  Seq2SeqResult forward(const Source& source, const Batch& batch,
                        const LossOptions& options = {}) const;

  /// What the decoder starts from; of a language model, nothing.
  Encoded encode(const Source& source) const;

  /// Errors: it is a language model.
  const Encoder& encoder() const;
  const Decoder& decoder() const { return *decoder_; }

 private:
  Decoded decode(const Source& source, const Batch& batch, double teacher_forcing) const;

  std::shared_ptr<Encoder> encoder_;  // null: none
  std::shared_ptr<Decoder> decoder_;
};

/// The model whose encoder and decoder have the name options.model: "recurrent" or "transformer".
/// Errors: an unknown name (the known ones are listed); as encoder and decoder.
std::shared_ptr<Seq2Seq> make_model(const EncoderDecoderOptions& options);
/// The names that make_model() knows: those of a decoder and an encoder.
std::vector<std::string> model_names();

/// The share of targets that count whose most probable token is right. logits [T, B, V], targets
/// [T, B] as in Batch::target_output.
double token_accuracy(const Tensor& logits, const Indices& targets);

}  // namespace attune
