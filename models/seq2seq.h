#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/data/batch.h"
#include "attune/models/decoder.h"
#include "attune/models/encoder.h"
#include "attune/models/encoder_decoder_options.h"

namespace attune {

/// Options of Seq2Seq::loss().
struct LossOptions {
  double teacher_forcing = 1;  ///< see Targets
  double label_smoothing = 0;  ///< see cross_entropy()
  double coverage_loss = 0;    ///< see Targets
};

/// The result of Seq2Seq::forward().
struct Seq2SeqResult {
  Tensor loss;    ///< a scalar
  Tensor logits;  ///< [T, B, V], as in Prediction; meaningless beyond a target's length
};

/// A sequence-to-sequence model: an encoder, and a decoder that generates the target token by
/// token, in the textbook's nine steps of attention:
///
///     1. encode           Encoder: x_0 ... x_n become h_0 ... h_n
///     2. query            DecoderState::query(): s_{t-1}
///     3. keys and values  Decoder::start(): the states h, projected once by Attention::memorize()
///     4. score            AttentionScore: how well the query matches each key
///     5. weights          Normalizer: scores become weights
///     6. weighted sum     Attention::attend(): of the values, by the weights
///     7. context          AttentionResult::context, c_t
///     8. combine          RecurrentDecoder::step(): c_t with the previous token and state
///     9. repeat           Decoder::operator() in training, search() in inference
///
/// (In a Transformer, each layer performs steps 2 to 8 for all positions at once.) Any encoder can
/// be combined with any decoder; without an encoder, the model is a language model.
///
///     Seq2Seq model(std::make_shared<RecurrentEncoder>(encoder_options),
///                   std::make_shared<RecurrentDecoder>(decoder_options));
///     model.loss(batch).backward();
///
/// Parameters: encoder.* and decoder.*, as in the encoder and the decoder.
class Seq2Seq : public Layer {
 public:
  Seq2Seq(std::shared_ptr<Encoder> encoder, std::shared_ptr<Decoder> decoder);
  /// A language model.
  explicit Seq2Seq(std::shared_ptr<Decoder> decoder);

  /// Logits [T, B, V] of each target token, given the tokens before it.
  Tensor operator()(const Batch& batch, double teacher_forcing = 1) const;

  /// The mean cross-entropy per target token, in nats, plus the penalty of attention per token, if
  /// it has one (see Decoded). If attention draws positions, the gradient includes that of
  /// policy_loss() per token, with the log-probabilities of the target tokens as rewards.
  Tensor loss(const Batch& batch, const LossOptions& options = {}) const;
  /// The loss and the logits for any kind of source, which replaces that of `batch`; the targets
  /// are those of `batch`.
  Seq2SeqResult forward(const Source& source, const Batch& batch,
                        const LossOptions& options = {}) const;

  /// The encoder's output; `Encoded{}` for a language model. If the decoder copies tokens, the
  /// encoder reads `<unk>` for ids beyond its vocabulary; see Decoder::copied_vocabulary().
  Encoded encode(const Source& source) const;

  /// False for a language model.
  bool has_encoder() const { return encoder_ != nullptr; }
  /// Errors: the model is a language model.
  const Encoder& encoder() const;
  const Decoder& decoder() const { return *decoder_; }

 private:
  Decoded decode(const Source& source, const Batch& batch, const LossOptions& options) const;

  std::shared_ptr<Encoder> encoder_;  // null for a language model
  std::shared_ptr<Decoder> decoder_;
};

/// Makes a model of the encoder and the decoder that the options name; options.model names both
/// unless they are set.
/// Errors: as make_encoder() and make_decoder().
std::shared_ptr<Seq2Seq> make_model(const EncoderDecoderOptions& options);
/// Whether the model that the options name copies tokens of the source, also those that no
/// vocabulary has; see ExtendedVocabulary.
bool copies_tokens(const EncoderDecoderOptions& options);
/// The names accepted as options.model: those that an encoder and a decoder share.
std::vector<std::string> model_names();

/// The fraction of target tokens for which the most probable token is correct, kIgnore excluded; 0
/// if there are none. Shapes: logits [..., V], targets [...], as in Batch::target_output.
/// Errors: the shapes do not match.
double token_accuracy(const Tensor& logits, const Indices& targets);

}  // namespace attune
