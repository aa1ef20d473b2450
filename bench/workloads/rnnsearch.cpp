#include "attune/layers/attention/attention.h"
#include "attune/layers/embedding.h"
#include "attune/layers/gru_cell.h"
#include "attune/layers/known_input.h"
#include "attune/layers/linear.h"
#include "train.h"

namespace {

using namespace attune;

// The model of the peers' programs. Tokens are known inputs, as in the library's RecurrentEncoder
// and RecurrentDecoder; from these it differs in that the decoder starts from the encoder's last
// state itself.
class RnnSearch : public Layer {
 public:
  explicit RnnSearch(const bench::RnnSearchSizes& n)
      : source_embedding_(child("source_embedding", Embedding(n.vocabulary, n.embedding))),
        target_embedding_(child("target_embedding", Embedding(n.vocabulary, n.embedding))),
        encoder_(child("encoder", GRUCell(n.embedding, n.hidden))),
        attention_(child("attention",
                         Attention("additive", {.query_size = n.hidden, .hidden = n.attention}))),
        decoder_(child("decoder", GRUCell(n.embedding + n.hidden, n.hidden))),
        output_(child("output", Linear(2 * n.hidden, n.vocabulary))) {}

  // source [S, B], target_input [T, B] -> logits [T, B, V]
  Tensor operator()(const Indices& source, const Indices& target_input) const {
    const SequenceResult encoded = KnownInput(encoder_, source_embedding_, source).run({}, {});
    const Memory memory = attention_.memorize(encoded.output);
    const KnownInput tokens(decoder_, target_embedding_, target_input);
    RecurrentState state{encoded.h, {}};
    std::vector<Tensor> steps;
    for (std::int64_t t = 0; t < target_input.shape()[0]; ++t) {
      const Tensor context = attention_.attend(state.h, memory).context;
      state = tokens[t].step(context, state);
      steps.push_back(concat({state.h, context}, -1));
    }
    return output_(stack(steps));
  }

 private:
  Embedding source_embedding_, target_embedding_;
  GRUCell encoder_;
  Attention attention_;
  GRUCell decoder_;
  Linear output_;
};

}  // namespace

bench::Workload rnnsearch(const bench::RnnSearchSizes& n, std::int64_t shards) {
  return train<RnnSearch>(n, shards);
}
