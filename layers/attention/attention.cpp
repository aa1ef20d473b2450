#include "attune/layers/attention/attention.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/attention.h"
#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/multi_head_attention.h"
#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/attention/attention_recorder.h"
#include "attune/layers/attention/pair_of_scores.h"
#include "attune/layers/attention/stage_recorder.h"

namespace attune {
namespace {

std::int64_t size_or(std::int64_t size, std::int64_t otherwise) {
  return size == 0 ? otherwise : size;
}

std::int64_t checked_heads(const AttentionHeads& heads) {
  ATTUNE_CHECK(heads.count >= 1 && heads.features % heads.count == 0,
               "attention: {} features cannot be divided among {} heads; use a multiple of the "
               "heads",
               heads.features, heads.count);
  return heads.count;
}

void check_memory(const Tensor& keys, const Tensor& values, const Indices& lengths) {
  ATTUNE_CHECK(keys.rank() == 3 && values.rank() == 3 && keys.size(0) == values.size(0) &&
                   keys.size(1) == values.size(1),
               "attention: keys {} and values {} do not match; expected [S, B, K] and "
               "[S, B, V] with the same S and B",
               keys.shape(), values.shape());
  if (!lengths.defined()) return;
  const std::int64_t source = keys.size(0), batch = keys.size(1);
  ATTUNE_CHECK(lengths.shape() == Shape({batch}),
               "attention: lengths have shape {}; expected one for each of the {} sequences",
               lengths.shape(), batch);
  for (const std::int32_t length : lengths.to_vector())
    ATTUNE_CHECK(length >= 0 && length <= source,
                 "attention: length {} is outside [0, {}], the number of source positions", length,
                 source);
}

// Views the heads of each row as separate rows, [..., B, H d] -> [..., B H, d], which is possible
// because the features of the heads are adjacent.
Tensor heads_to_rows(const Tensor& x, std::int64_t heads) {
  if (heads == 1) return x;
  Shape shape = x.shape();
  const int last = shape.rank() - 1;
  shape[last - 1] *= heads;
  shape[last] /= heads;
  return reshape(x, shape);
}

Tensor rows_to_heads(const Tensor& x, std::int64_t heads) {
  if (heads == 1) return x;
  Shape shape = x.shape();
  const int last = shape.rank() - 1;
  shape[last - 1] /= heads;
  shape[last] *= heads;
  return reshape(x, shape);
}

// The sum over the heads of each row: [B H] -> [B].
Tensor sum_over_heads(const Tensor& x, std::int64_t heads) {
  return !x.defined() || heads == 1 ? x : sum(reshape(x, {-1, heads}), 1);
}

// weights * factor, without a gradient for the weights that are 0, whose own may hold anything.
Tensor scaled_weights(const Tensor& weights, const Tensor& factor) {
  return where(not_equal(weights.detach(), 0.0), weights * factor, 0.0);
}

// a + b, either of which may be undefined.
Tensor sum_of(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}

}  // namespace

Attention::Attention(std::string_view score, const AttentionOptions& options)
    : Attention(options.heads == 1 ? by_name(score, options, options.query_size,
                                             size_or(options.key_size, options.query_size), nullptr)
                                   : of_heads(score, options)) {}

Attention::Attention(std::shared_ptr<AttentionScore> score, std::shared_ptr<Normalizer> normalizer,
                     std::shared_ptr<Locality> locality)
    : score_(child("score", std::move(score))),
      normalizer_(child("normalizer", std::move(normalizer))) {
  ATTUNE_CHECK(!score_->moves() || !normalizer_->moves(),
               "attention: the score and the normaliser both move along the source; choose another "
               "for one of them");
  if (locality) locality_ = child("locality", std::move(locality));
}

Attention::Attention(std::shared_ptr<AttentionScore> score, std::shared_ptr<Normalizer> normalizer,
                     const AttentionHeads& heads, std::shared_ptr<Locality> locality)
    : Attention(std::move(score), std::move(normalizer), std::move(locality)) {
  heads_ = checked_heads(heads);
  key_heads_ = size_or(heads.key_value_heads, heads_);
  ATTUNE_CHECK(key_heads_ >= 1 && heads_ % key_heads_ == 0,
               "attention: {} heads cannot share {} heads of keys and values; use a divisor",
               heads_, key_heads_);
  ATTUNE_CHECK(heads.dropout >= 0 && heads.dropout < 1, "attention: dropout {} is outside [0, 1)",
               heads.dropout);
  positions_ = heads.positions;
  layer_ = heads.layer;
  mixer_ = heads.mixer;
  dropout_ = heads.dropout;
  ATTUNE_CHECK(!mixer_ || (score_->as_dot_product() && normalizer_->is_softmax() && !locality_),
               "attention: only heads with dot products and softmax can be mixed");
  ATTUNE_CHECK(!positions_ || !positions_->has_values() || score_heads() == heads_,
               "attention: positions that add to the contexts, such as relative, cannot be "
               "combined with heads of two softmaxes");
  const std::int64_t key_features = heads.features / heads_ * key_heads_;
  projections_ = {
      child("query", Linear(heads.query_size, heads.features, heads.bias)),
      child("key", Linear(heads.key_size, key_features, heads.bias)),
      child("value", Linear(heads.value_size, key_features, heads.bias)),
      child("out", Linear(heads.features, heads.output_size, heads.bias)),
      {},
  };
  if (heads.gated)
    projections_->gate = child("gate", Linear(heads.query_size, heads.features, /*bias=*/false));
  if (mixer_) child("mixer", mixer_);
  if (positions_ && !positions_->parameters().empty()) child("positions", positions_);
}

Attention Attention::of_heads(std::string_view score, const AttentionOptions& options) {
  AttentionHeads heads{.count = options.heads,
                       .features = options.query_size,
                       .query_size = options.query_size,
                       .key_size = size_or(options.key_size, options.query_size),
                       .value_size = 0,
                       .output_size = 0};
  heads.value_size = heads.output_size = size_or(options.value_size, heads.key_size);
  const std::int64_t size = heads.features / checked_heads(heads);
  return by_name(score, options, size, size, &heads);
}

Attention Attention::by_name(std::string_view score, const AttentionOptions& options,
                             std::int64_t query_size, std::int64_t key_size,
                             const AttentionHeads* heads) {
  const ScoreOptions sizes{
      .query_size = query_size, .key_size = key_size, .hidden = options.hidden, .arguments = {}};
  auto normalizer = make_normalizer(options.normalizer, {.heads = options.heads, .arguments = {}});
  auto locality = make_locality(options.locality, {.query_size = query_size, .arguments = {}});
  auto scores = make_score(score, sizes);
  if (normalizer->score_count() == 2)
    scores = std::make_shared<PairOfScores>(std::move(scores), make_score(score, sizes));
  return heads ? Attention(std::move(scores), std::move(normalizer), *heads, std::move(locality))
               : Attention(std::move(scores), std::move(normalizer), std::move(locality));
}

Memory Attention::memorize(const Tensor& keys, const Indices& lengths) const {
  return memorize(keys, keys, lengths);
}

Memory Attention::memorize(const Tensor& keys, const Tensor& values, const Indices& lengths) const {
  const LayerScope scope(*this);
  const Memory memory = project(keys, values, lengths, /*first=*/0);
  // The hypotheses of a search share their source. (A gradient of shared keys would have to be
  // added up.)
  return can_share_rows() ? memory.shared() : memory;
}

// Whether queries can attend to shared rows without copying these.
bool Attention::can_share_rows() const {
  return NoGrad::active() && projections_ && is_dot_product() && !mixer_ &&
         !(positions_ && positions_->has_bias());
}

Memory Attention::project(const Tensor& keys, const Tensor& values, const Indices& lengths,
                          std::int64_t first) const {
  check_memory(keys, values, lengths);
  // Keeps padding out of the gradients of the projections' weights; see mask_padding().
  const Tensor own_keys = mask_padding(keys, lengths);
  const Tensor own_values = &values == &keys ? own_keys : mask_padding(values, lengths);
  if (!projections_)
    return {recorded(AttentionStage::keys_and_values, "k", score_->project_keys(own_keys)),
            recorded(AttentionStage::keys_and_values, "v", own_values), lengths};
  Tensor projected = projections_->key(own_keys);
  if (positions_)
    projected = positions_->rotate(projected, key_heads_ * (score_heads() / heads_), first);
  const Tensor of_heads = heads_to_rows(projected, key_heads_);
  Tensor of_score = rows_to_heads(score_->project_keys(of_heads), key_heads_);
  return {recorded(AttentionStage::keys_and_values, "k", std::move(of_score)),
          recorded(AttentionStage::keys_and_values, "v", projections_->value(own_values)), lengths};
}

Memory Attention::append(const Memory& memory, const Tensor& more) const {
  const LayerScope scope(*this);
  const Memory added = project(more, more, {}, memory.keys.defined() ? memory.keys.size(0) : 0);
  return (can_share_rows() ? memory : memory.copied()).append(added);
}

AttentionResult Attention::attend(const Tensor& query, const Memory& memory,
                                  const AttentionState& state, const AttendOptions& options) const {
  AttentionRecorder* const recorder = AttentionRecorder::current();
  if ((recorder || StageRecorder::current()) && !options.weights)
    return attend(query, memory, state, {.mask = options.mask, .weights = true});
  const LayerScope scope(*this);
  ATTUNE_CHECK(memory.keys.defined(), "attention: the memory is empty; memorize() first");
  ATTUNE_CHECK(query.rank() == 2 || query.rank() == 3,
               "attention: query {}; expected [B, Q], one for each sequence, or [T, B, Q]",
               query.shape());
  const Tensor asked = projections_ ? projections_->query(query) : query;
  AttentionResult result = positions_ ? attend_with_positions(asked, memory, state, options)
                                      : attend_projected(asked, memory, state, options);
  if (recorder) recorder->add(*this, heads_, result);
  if (projections_) {
    if (projections_->gate) result.context = result.context * sigmoid((*projections_->gate)(query));
    result.context = projections_->out(result.context);
  }
  recorded(AttentionStage::context, "c", result.context);
  return result;
}

AttentionResult Attention::attend_with_positions(const Tensor& query, const Memory& memory,
                                                 const AttentionState& state,
                                                 const AttendOptions& options) const {
  const bool is_one = query.rank() == 2;
  Tensor asked = is_one ? reshape(query, query.shape().with(0, 1)) : query;
  const AttentionPlace place{.heads = score_heads(),
                             .queries = asked.size(0),
                             .keys = memory.keys.size(0),
                             .layer = layer_};
  ATTUNE_CHECK(place.first() >= 0,
               "attention: {} queries and only {} keys; with positions, the last query is at the "
               "position of the last key",
               place.queries, place.keys);
  asked = positions_->rotate(asked, place.heads, place.first());
  AttendOptions how = options;
  if (positions_->has_bias()) how.mask = how.mask & Mask::bias(positions_->bias(asked, place));
  how.weights = how.weights || positions_->has_values();
  AttentionResult result = attend_projected(asked, memory, state, how);
  if (positions_->has_values())
    result.context = result.context + positions_->values(result.weights, place);
  if (is_one) {
    result.context = reshape(result.context, result.context.shape().without(0));
    if (result.weights.defined())
      result.weights = reshape(result.weights, result.weights.shape().without(2));
  }
  return result;
}

AttentionResult Attention::attend_projected(const Tensor& query, const Memory& memory,
                                            const AttentionState& state,
                                            const AttendOptions& options) const {
  if (memory.rows.defined() && (mixer_ || !is_fused(query)))
    return attend_projected(query, memory.copied(), state, options);
  recorded(AttentionStage::query, "q", query);
  Mask mask = Mask::lengths(memory.query_lengths());
  if (!options.mask.is_empty()) mask = mask & options.mask;
  if (is_fused(query)) return attend_fused(query, memory, mask, state, options.weights);
  if (query.rank() == 3) return attend_each(query, memory, mask, state);
  if (heads_ == 1 && mask.is_lengths()) return attend_once(query, memory, mask, state);
  const Shape scores = scores_shape(memory, 1);
  mask.check("attention", scores, query.dtype());
  return attend_once(query, memory, mask.of_query(0, scores), state);
}

// [B, H, T, S]
Shape Attention::scores_shape(const Memory& memory, std::int64_t queries) const {
  return {memory.keys.size(1), heads_, queries, memory.keys.size(0)};
}

// One query of one head is two small products, for which tiling has no benefit. The fused kernel
// does not store scores.
bool Attention::is_fused(const Tensor& query) const {
  return is_dot_product() && (projections_ || query.rank() == 3) &&
         (mixer_ || !StageRecorder::current());
}

bool Attention::is_dot_product() const {
  return !locality_ && score_->as_dot_product() && normalizer_->is_softmax();
}

// Heads with scores of their own.
std::int64_t Attention::score_heads() const {
  return mixer_ ? mixer_->score_heads(heads_) : heads_;
}

// The keys or values of each head as rows, [S, B, G d] -> [S, B H, d].
Tensor Attention::rows_of_heads(const Tensor& keys) const {
  const Tensor rows = heads_to_rows(keys, key_heads_);
  if (key_heads_ == heads_) return rows;
  std::vector<std::int32_t> shared;
  for (std::int64_t row = 0; row < keys.size(1) * heads_; ++row)
    shared.push_back(static_cast<std::int32_t>(row / (heads_ / key_heads_)));
  return index_select(rows, 1, Indices(shared));
}

AttentionResult Attention::attend_fused(const Tensor& query, const Memory& memory, const Mask& mask,
                                        const AttentionState& state, bool weights) const {
  const bool is_one = query.rank() == 2;
  const std::int64_t batch = query.size(-2), queries = is_one ? 1 : query.size(0);
  Tensor asked = rows_to_heads(score_->project_query(heads_to_rows(query, heads_)), heads_);
  if (is_one) asked = reshape(asked, asked.shape().with(0, 1));
  const DotProductOptions how{.heads = score_heads(),
                              .mask = mask,
                              .scale = score_->as_dot_product()->scale,
                              .key_heads = key_heads_ * (score_heads() / heads_),
                              .dropout = dropout_,
                              .key_rows = memory.rows};
  SequenceAttention found;
  if (mixer_)
    found = (*mixer_)(asked, memory.keys, memory.values, how, weights);
  else if (weights)
    found = scaled_dot_product_attention_with_weights(asked, memory.keys, memory.values, how);
  else
    found.context = scaled_dot_product_attention(asked, memory.keys, memory.values, how);
  recorded(AttentionStage::weights, "a", found.weights);
  recorded(AttentionStage::weighted_sum, "z", found.context);
  if (is_one) {
    found.context = reshape(found.context, found.context.shape().without(0));
    if (weights) found.weights = reshape(found.weights, {batch, heads_, found.weights.size(-1)});
  }
  AttentionState next;
  next.heads = heads_;
  next.steps = state.steps + queries;
  return {found.context, found.weights, std::move(next), {}, {}};
}

AttentionResult Attention::attend_once(const Tensor& query, const Memory& memory, const Mask& mask,
                                       const AttentionState& state) const {
  AttentionState next = state;
  next.heads = heads_;
  const Tensor of_rows = heads_to_rows(query, heads_);
  const Tensor scores =
      recorded(AttentionStage::score, "e", (*score_)(of_rows, rows_of_heads(memory.keys), next));
  Normalized found;
  if (locality_) {
    const Neighbourhood near = (*locality_)(of_rows, mask.lengths(), memory.keys.size(0), state);
    found = (*normalizer_)(scores, mask & near.mask, next);
    if (near.factor.defined()) found.weights = scaled_weights(found.weights, near.factor);
  } else {
    found = (*normalizer_)(scores, mask, next);
  }
  const Tensor penalty = sum_of(found.penalty, score_->penalty(found.weights, state));
  recorded(AttentionStage::weights, "a", found.weights);
  const Tensor context =
      recorded(AttentionStage::weighted_sum, "z",
               weighted_sum(dropout(found.weights, dropout_), rows_of_heads(memory.values)));
  next.weights = found.weights;
  if (score_->reads_coverage() || normalizer_->reads_coverage())
    next.coverage = sum_of(next.coverage, found.weights);
  recorded(AttentionStage::repeat, "coverage", next.coverage);
  recorded(AttentionStage::repeat, "position", next.position);
  if (next.coverage.defined()) record_quantity("coverage", next.coverage);
  ++next.steps;
  const Tensor weights =
      projections_ ? reshape(found.weights, {query.size(0), heads_, found.weights.size(1)})
                   : found.weights;
  return {rows_to_heads(context, heads_), weights, std::move(next), sum_over_heads(penalty, heads_),
          sum_over_heads(found.log_probability, heads_)};
}

AttentionResult Attention::attend_each(const Tensor& query, const Memory& memory, const Mask& mask,
                                       const AttentionState& state) const {
  const std::int64_t queries = query.size(0), batch = query.size(1), keys = memory.keys.size(0);
  ATTUNE_CHECK(queries >= 1, "attention: query {}; expected at least one step", query.shape());
  const Shape scores = scores_shape(memory, queries);
  mask.check("attention", scores, query.dtype());
  AttentionResult result;
  result.next = state;
  std::vector<Tensor> contexts, weights;
  for (std::int64_t t = 0; t < queries; ++t) {
    AttentionResult step = attend_once(query[t], memory, mask.of_query(t, scores), result.next);
    contexts.push_back(step.context);
    weights.push_back(reshape(step.weights, {batch, heads_, keys}));
    result.next = std::move(step.next);
    result.penalty = sum_of(result.penalty, step.penalty);
    result.log_probability = sum_of(result.log_probability, step.log_probability);
  }
  result.context = stack(contexts);
  result.weights = stack(weights, /*axis=*/2);
  return result;
}

}  // namespace attune
