#include "attune/layers/attention/feed_forward_score.h"

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

const FeedForwardScoreOptions& checked(const FeedForwardScoreOptions& options) {
  ATTUNE_CHECK(!options.hidden.empty(), "feed_forward score: it needs at least one hidden layer");
  return options;
}

}  // namespace

FeedForwardScore::FeedForwardScore(const FeedForwardScoreOptions& options)
    : key_(child("key", Linear(options.key_size, checked(options).hidden.front()))),
      query_(child("query", Linear(options.query_size, options.hidden.front(), /*bias=*/false))),
      out_(Linear(options.hidden.back(), 1, /*bias=*/false)),
      activation_(make_activation(options.activation)) {
  for (std::size_t i = 1; i < options.hidden.size(); ++i)
    hidden_.push_back(
        child(fmt::format("hidden{}", i - 1), Linear(options.hidden[i - 1], options.hidden[i])));
  child("out", out_);
}

Tensor FeedForwardScore::operator()(const Tensor& query, const Tensor& projected_keys,
                                    AttentionState&) const {
  const LayerScope scope(*this);
  Tensor z = activation_(projected_keys + query_(query));  // [S, B, A]
  for (const Linear& layer : hidden_) z = activation_(layer(z));
  const Tensor scores = reshape(out_(z), {z.size(0), z.size(1)});
  return recorded(AttentionStage::score, "e", transpose(scores));
}

std::shared_ptr<AttentionScore> make_feed_forward_score(const ScoreOptions& options) {
  const Arguments& given = options.arguments;
  return std::make_shared<FeedForwardScore>(
      FeedForwardScoreOptions{.query_size = options.query_size,
                              .key_size = options.key_size,
                              .hidden = given.sizes("hidden", {options.hidden}),
                              .activation = given.text("activation", "relu")});
}

}  // namespace attune
