#include "attune/layers/attention/talking_heads.h"

#include <limits>
#include <vector>

#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/matmul.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/layers/attention/stage_recorder.h"
#include "attune/layers/attention/stored_scores.h"

namespace attune {
namespace {

void identity(Array& matrix) {
  matrix.fill(0);
  for (std::int64_t i = 0; i < matrix.shape()[0]; ++i) matrix.set(i * (matrix.shape()[0] + 1), 1);
}

// sum_g P[h, g] x_g over the heads of x [B, H, T, S]
Tensor mix(const Tensor& p, const Tensor& x) {
  const std::int64_t batch = x.size(0), heads = x.size(1);
  return reshape(matmul(p, reshape(x, {batch, heads, x.size(2) * x.size(3)})), x.shape());
}

// A sequence [S, B, heads d] with 0 in positions hidden from one query: hidden [B, heads, 1, S].
Tensor without(const Tensor& sequence, const Array& hidden, std::int64_t heads) {
  const std::int64_t keys = sequence.size(0), batch = sequence.size(1);
  const Tensor of_heads = reshape(sequence, {keys, batch, heads, sequence.size(2) / heads});
  const Tensor mask = permute(Tensor(hidden), {3, 0, 1, 2});  // [S, B, heads, 1]
  return reshape(masked_fill(of_heads, broadcast_to(mask, of_heads.shape()).value(), 0),
                 sequence.shape());
}

}  // namespace

TalkingHeads::TalkingHeads(std::int64_t heads)
    : scores_(param("scores", {heads, heads}, identity)),
      weights_(param("weights", {heads, heads}, identity)) {}

SequenceAttention TalkingHeads::operator()(const Tensor& query, const Tensor& key,
                                           const Tensor& value, const DotProductOptions& options,
                                           bool) const {
  const LayerScope scope(*this);
  const std::int64_t heads = options.heads, queries = query.size(0), batch = query.size(1);
  const Shape shape{batch, heads, queries, key.size(0)};
  const Array hidden = options.mask.hidden(shape, query.dtype());
  const Tensor bias = options.mask.added();
  if (key.value().all_finite() && value.value().all_finite())
    return attend(query, key, value, bias, hidden, options);
  // Products with hidden keys would turn their infinities and NaN into those of all results, so for
  // each query they are replaced. All heads must then have keys and values of their own.
  const auto own = [&](const Tensor& x, std::int64_t of) {
    const Tensor wide = by_heads(x, of, heads);  // [B, H, S, d]
    return reshape(permute(wide, {2, 0, 1, 3}), {x.size(0), batch, -1});
  };
  const std::int64_t key_heads = options.key_heads == 0 ? heads : options.key_heads;
  const Tensor keys = own(key, key_heads), values = own(value, key_heads);
  DotProductOptions how = options;
  how.key_heads = how.value_heads = heads;
  std::vector<Tensor> contexts, weights;
  for (std::int64_t t = 0; t < queries; ++t) {
    const Array of_query = slice(Tensor(hidden), 2, t, t + 1).value();
    Tensor added = bias;
    if (bias.defined() && bias.rank() >= 2 && bias.size(-2) > 1)
      added = slice(bias, bias.rank() - 2, t, t + 1);
    const SequenceAttention found =
        attend(slice(query, 0, t, t + 1), without(keys, of_query, heads),
               without(values, of_query, heads), added, of_query, how);
    contexts.push_back(found.context);
    weights.push_back(found.weights);
  }
  return {concat(contexts), concat(weights, 2)};
}

SequenceAttention TalkingHeads::attend(const Tensor& query, const Tensor& key, const Tensor& value,
                                       const Tensor& bias, const Array& hidden,
                                       const DotProductOptions& options) const {
  Tensor scores = dot_product_scores(query, key, options);
  if (bias.defined()) scores = scores + bias;
  scores = mix(scores_, masked_fill(scores, hidden, 0));
  scores = masked_fill(scores, hidden, -std::numeric_limits<double>::infinity());
  recorded(AttentionStage::score, "e", scores);
  const Tensor weights = masked_fill(mix(weights_, softmax(scores)), hidden, 0);
  recorded(AttentionStage::weights, "a", weights);
  return {sum_of_values(weights, value, options), weights};
}

std::shared_ptr<HeadMixer> make_talking_heads(const HeadMixerOptions& options) {
  return std::make_shared<TalkingHeads>(options.heads);
}

}  // namespace attune
