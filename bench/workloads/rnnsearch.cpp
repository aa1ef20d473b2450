#include "attune/models/recurrent_decoder.h"
#include "attune/models/recurrent_encoder.h"
#include "train.h"

namespace {

using namespace attune;

// The library's own encoder and decoder. Beyond what the peers' programs compute, the decoder
// starts from tanh(W h + b) of the encoder's last state instead of the state itself.
class RnnSearch : public Layer {
 public:
  explicit RnnSearch(const bench::RnnSearchSizes& n)
      : encoder_(child("encoder", RecurrentEncoder({.vocabulary = n.vocabulary,
                                                    .input = n.embedding,
                                                    .hidden = n.hidden,
                                                    .bidirectional = false,
                                                    .embedding_residual = false}))),
        decoder_(child("decoder", RecurrentDecoder({.vocabulary = n.vocabulary,
                                                    .source_size = n.hidden,
                                                    .embedding = n.embedding,
                                                    .size = n.hidden,
                                                    .attention_hidden = n.attention}))) {}

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor operator()(const Indices& source, const Indices& target_input) const {
    return decoder_(encoder_(Sources{source, {}}), {.input = target_input}).logits;
  }

 private:
  RecurrentEncoder encoder_;
  RecurrentDecoder decoder_;
};

}  // namespace

bench::Workload rnnsearch(const bench::RnnSearchSizes& n, std::int64_t shards) {
  return train<RnnSearch>(n, shards);
}
