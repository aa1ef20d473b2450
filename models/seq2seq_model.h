#pragma once

#include <memory>
#include <string>
#include <vector>

#include "attune/data/batch.h"
#include "attune/layers/layer.h"
#include "attune/models/encoder_decoder_options.h"

namespace attune {

/// What a model says of the next token of each target.
struct NextToken {
  Tensor logits;   ///< [B, V]
  Tensor weights;  ///< [B, S]: where this step looked; not defined without attention
  /// Of models with several heads: [B, H, 1, S] of every layer, the first layer's first.
  std::vector<Tensor> head_weights;
};

/// Targets being written, token after token, for sources that were read once.
class DecodingSession {
 public:
  virtual ~DecodingSession() = default;
  /// Takes in the token before, [B], which is Vocabulary::start at first.
  virtual NextToken step(const Indices& previous) = 0;
};

/// A model that turns sequences of tokens into others: all that training and search need to know of
/// it. A new kind of model is a class with the two functions below, and one line in the table of
/// make_model().
class Seq2SeqModel : public Layer {
 public:
  /// Logits [T, B, V] of each target token, given those before it. With probability
  /// `teacher_forcing` a step is told the right token before it, else the model's own choice, if
  /// the kind of model can do that. Beyond target_lengths() logits mean nothing, and the batch's
  /// tokens there have no influence.
  virtual Tensor operator()(const Batch& batch, double teacher_forcing = 1) const = 0;
  /// Reads sources; their targets can then be written.
  virtual std::unique_ptr<DecodingSession> start_decoding(const Sources& sources) const = 0;

  /// Mean cross-entropy of the targets, in nats a token.
  Tensor loss(const Batch& batch, double teacher_forcing = 1) const;
};

/// The model of kind options.model: "recurrent" (EncoderDecoder) or "transformer" (Transformer).
/// Errors: an unknown kind (the known ones are listed); as the model's own.
std::shared_ptr<Seq2SeqModel> make_model(const EncoderDecoderOptions& options);
/// The names that make_model() knows.
std::vector<std::string> model_names();

/// The share of targets that count whose most probable token is right. logits [T, B, V], targets
/// [T, B] as in Batch::target_output.
double token_accuracy(const Tensor& logits, const Indices& targets);

}  // namespace attune
