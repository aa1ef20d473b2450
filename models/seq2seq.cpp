#include "attune/models/seq2seq.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/losses.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/autograd/scopes.h"
#include "attune/data/vocabulary.h"
#include "attune/layers/attention/stage_recorder.h"
#include "attune/models/output_layer.h"
#include "attune/models/policy_loss.h"
#include "attune/models/transformer_decoder_model.h"

namespace attune {
namespace {

// The sum of penalty [T, B] over the steps within each target's length, per token.
Tensor mean_penalty(const Tensor& penalty, const Batch& batch) {
  return sum(mask_padding(penalty, target_lengths(batch))) / static_cast<double>(batch.tokens);
}

// The sources as an encoder with `known` tokens reads them.
Source as_read(const Sources& sources, std::int64_t known) {
  std::vector<std::int32_t> ids = sources.ids.to_vector();
  for (std::int32_t& id : ids)
    if (id >= known) id = Vocabulary::unknown;
  return Sources{Indices(ids, sources.ids.shape()), sources.lengths};
}

// The log-probability of each target token [T, B], and 0 for kIgnore.
Array token_log_probabilities(const Tensor& logits, const Indices& targets) {
  const NoGrad no_grad;
  const Array log_p = log_softmax(logits.detach(), -1).value();
  Array found = Array::zeros(targets.shape(), log_p.dtype());
  const std::int64_t classes = logits.size(-1);
  for (std::int64_t i = 0; i < targets.elements(); ++i)
    if (targets.at(i) != kIgnore) found.set(i, log_p.at(i * classes + targets.at(i)));
  return found;
}

}  // namespace

Seq2Seq::Seq2Seq(std::shared_ptr<Encoder> encoder, std::shared_ptr<Decoder> decoder)
    : encoder_(child("encoder", std::move(encoder))),
      decoder_(child("decoder", std::move(decoder))) {}

Seq2Seq::Seq2Seq(std::shared_ptr<Decoder> decoder)
    : decoder_(child("decoder", std::move(decoder))) {}

Encoded Seq2Seq::encode(const Source& source) const {
  if (!encoder_) return {};
  const auto* tokens = std::get_if<Sources>(&source);
  const std::int64_t known = decoder_->copied_vocabulary();
  Encoded encoded = (*encoder_)(tokens && known > 0 ? as_read(*tokens, known) : source);
  recorded(AttentionStage::encode, "h", encoded.states);
  if (tokens) encoded.tokens = tokens->ids;
  return encoded;
}

Decoded Seq2Seq::decode(const Source& source, const Batch& batch,
                        const LossOptions& options) const {
  return (*decoder_)(encode(source), {.input = batch.target_input,
                                      .lengths = target_lengths(batch),
                                      .teacher_forcing = options.teacher_forcing,
                                      .coverage_loss = options.coverage_loss});
}

Tensor Seq2Seq::operator()(const Batch& batch, double teacher_forcing) const {
  return decode(batch.source, batch, {.teacher_forcing = teacher_forcing}).logits;
}

Seq2SeqResult Seq2Seq::forward(const Source& source, const Batch& batch,
                               const LossOptions& options) const {
  const Decoded decoded = decode(source, batch, options);
  Tensor loss =
      cross_entropy(decoded.logits, batch.target_output, kIgnore, options.label_smoothing);
  if (decoded.penalty.defined()) loss = loss + mean_penalty(decoded.penalty, batch);
  if (decoded.log_probability.defined() && loss.requires_grad())
    loss = loss + policy_loss(decoded.log_probability,
                              token_log_probabilities(decoded.logits, batch.target_output),
                              target_lengths(batch)) /
                      static_cast<double>(batch.tokens);
  return {loss, decoded.logits};
}

Tensor Seq2Seq::loss(const Batch& batch, const LossOptions& options) const {
  return forward(batch.source, batch, options).loss;
}

const Encoder& Seq2Seq::encoder() const {
  ATTUNE_CHECK(encoder_, "Seq2Seq: a language model has no encoder");
  return *encoder_;
}

std::shared_ptr<Seq2Seq> make_model(const EncoderDecoderOptions& options) {
  auto encoder = make_encoder(options.encoder_name(), options);
  auto decoder = options.has_transformer() && options.tied_embeddings == "all"
                     ? make_tied_decoder(options, *encoder)
                     : make_decoder(options.decoder_name(), options, encoder->state_size());
  return std::make_shared<Seq2Seq>(std::move(encoder), std::move(decoder));
}

bool copies_tokens(const EncoderDecoderOptions& options) {
  return options.decoder_name() == "recurrent" && copies_tokens(options.output_layer);
}

std::vector<std::string> model_names() {
  const std::vector<std::string> known = encoders().names();
  std::vector<std::string> names = decoders().names();
  std::erase_if(names, [&](const std::string& name) {
    return std::find(known.begin(), known.end(), name) == known.end();
  });
  return names;
}

double token_accuracy(const Tensor& logits, const Indices& targets) {
  const Indices chosen = argmax(logits);
  ATTUNE_CHECK(chosen.shape() == targets.shape(),
               "token_accuracy: logits {} do not fit targets {}; expected [..., V] and [...]",
               logits.shape(), targets.shape());
  std::int64_t count = 0, right = 0;
  for (std::int64_t i = 0; i < targets.elements(); ++i) {
    count += targets.at(i) != kIgnore;
    right += targets.at(i) == chosen.at(i);
  }
  return static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, count));
}

}  // namespace attune
