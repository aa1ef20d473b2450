#include "attune/models/transformer_decoder_model.h"
#include "train.h"

bench::Workload language_model(const bench::TransformerSizes& n, std::int64_t shards) {
  using namespace attune;
  const TransformerDecoderModel model({.vocabulary = n.vocabulary,
                                       .layers = n.layers,
                                       .transformer = {.features = n.width,
                                                       .heads = n.heads,
                                                       .feed_forward = n.feed_forward,
                                                       .activation = "gelu",
                                                       .dropout = 0,
                                                       .norm_first = true},
                                       .positions = "learned",
                                       .tied = true});
  return {n.batch * n.length,
          training(model, random_tokens(n.vocabulary, n.length + 1, n.batch), shards,
                   [=](std::int64_t, std::int64_t, const Indices& input) {
                     return model({}, {.input = input}).logits;
                   })};
}
