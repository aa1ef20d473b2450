#include "attune/models/encoder_decoder.h"

namespace attune {
namespace {

class RecurrentDecodingSession : public DecodingSession {
 public:
  RecurrentDecodingSession(const EncoderDecoder& model, const Sources& sources)
      : decoder_(model.decoder()) {
    const Encoded encoded = model.encoder()(sources);
    memory_ = decoder_.memorize(encoded);
    state_ = decoder_.start(encoded);
  }

  NextToken step(const Indices& previous) override {
    DecoderStep step = decoder_.step(decoder_.read(previous), state_, memory_);
    state_ = std::move(step.state);
    return {.logits = decoder_.output(state_.query(), step.context),
            .weights = step.weights,
            .head_weights = {}};
  }

 private:
  Decoder decoder_;
  Memory memory_;
  DecoderState state_;
};

}  // namespace

EncoderDecoder::EncoderDecoder(const EncoderDecoderOptions& options)
    : options_(options),
      encoder_(child("encoder", Encoder(options))),
      decoder_(child("decoder", Decoder(options))) {}

Tensor EncoderDecoder::operator()(const Batch& batch, double teacher_forcing) const {
  return decoder_(encoder_(batch.source), batch.target_input, target_lengths(batch),
                  teacher_forcing);
}

std::unique_ptr<DecodingSession> EncoderDecoder::start_decoding(const Sources& sources) const {
  return std::make_unique<RecurrentDecodingSession>(*this, sources);
}

}  // namespace attune
