#include "attune/models/recurrent_decoder.h"

#include <cstddef>
#include <utility>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/known_input.h"

namespace attune {
namespace {

bool attends(const RecurrentDecoderOptions& options) {
  return options.source_size > 0 && options.attention != "none";
}

std::int64_t context_size(const RecurrentDecoderOptions& options) {
  return attends(options) ? options.source_size : 0;
}

// Lengths of one step: 1 for sequences that have not ended, 0 for the others.
Indices going_on(const Indices& lengths, std::int64_t step) {
  if (!lengths.defined()) return {};
  std::vector<std::int32_t> at_step = lengths.to_vector();
  for (std::int32_t& length : at_step) length = length > step ? 1 : 0;
  return Indices(at_step, lengths.shape());
}

// [B, S] of one head, or [B, H, S], as [B, H, S].
Tensor with_heads(const Tensor& weights) {
  return weights.rank() == 3 ? weights : reshape(weights, weights.shape().with(1, 1));
}

}  // namespace

RecurrentDecoder::RecurrentDecoder(const RecurrentDecoderOptions& options)
    : embedding_(child("embedding", Embedding(options.vocabulary, options.embedding))),
      dropout_(options.dropout),
      output_(child("output", Linear(options.size + context_size(options), options.vocabulary))) {
  const std::int64_t size = options.size;
  if (attends(options))
    attention_ =
        child("attention", Attention(options.attention, {.query_size = size,
                                                         .key_size = options.source_size,
                                                         .hidden = options.attention_hidden,
                                                         .heads = options.heads,
                                                         .normalizer = options.normalizer,
                                                         .locality = options.locality}));
  for (int i = 0; i < options.layers; ++i) {
    const std::int64_t input = i == 0 ? options.embedding + context_size(options) : size;
    cells_.push_back(child(fmt::format("layer{}", i), make_cell(options.cell, input, size)));
    if (options.source_size == 0) continue;
    Bridge bridge{child(fmt::format("bridge{}_h", i), Linear(options.source_size, size)), {}};
    if (cells_.back()->initial_state(1).c.defined())
      bridge.c = child(fmt::format("bridge{}_c", i), Linear(options.source_size, size));
    bridges_.push_back(bridge);
  }
}

DecoderState RecurrentDecoder::start(const Encoded& encoded) const {
  DecoderState state;
  // Step 3, keys and values: the encoder's states, projected once.
  if (attention_) state.source = {attention_->memorize(encoded.states, encoded.lengths)};
  for (std::size_t i = 0; i < bridges_.size(); ++i) {
    const auto [h, c] = encoded.summary(i);
    const auto& bridge = bridges_[i];
    state.layers.push_back(
        {tanh(bridge.h(h)), bridge.c ? tanh((*bridge.c)(c.defined() ? c : h)) : Tensor()});
  }
  return state;
}

KnownInput RecurrentDecoder::embed(const Indices& tokens) const {
  return dropout_.active() ? KnownInput(*cells_[0], dropout_(embedding_(tokens)))
                           : KnownInput(*cells_[0], embedding_, tokens);
}

AttentionResult RecurrentDecoder::step(const KnownInput& previous, DecoderState& state,
                                       bool weights) const {
  AttentionResult found;
  if (attention_) {
    // Step 2, query: s_{t-1}. Steps 4 to 7, score, weights, weighted sum, context: in attend().
    found =
        attention_->attend(state.query(), state.source[0], state.attention, {.weights = weights});
    state.attention = std::move(found.next);
  }
  // Step 8, combine: the context is joined to the previous token's embedding in the cell, and to
  // the new state in combined().
  state.layers[0] = previous.step(found.context, state.layers[0]);
  for (std::size_t i = 1; i < cells_.size(); ++i)
    state.layers[i] = (*cells_[i])(dropout_(state.layers[i - 1].h), state.layers[i]);
  ++state.position;
  return found;
}

Tensor RecurrentDecoder::combined(const DecoderState& state, const AttentionResult& found) const {
  return attention_ ? concat({state.query(), found.context}, -1) : state.query();
}

Tensor RecurrentDecoder::output(const Tensor& combined) const {
  return output_(dropout_(combined));
}

Indices RecurrentDecoder::most_probable(const Tensor& combined) const {
  const NoGrad no_grad;
  const Eval eval;
  return argmax(output(combined));
}

Prediction RecurrentDecoder::predict(const Indices& previous, DecoderState& state) const {
  begin(state, previous.elements());
  const AttentionResult found = step(embed(previous), state, /*weights=*/true);
  Prediction next{.logits = output(combined(state, found)), .weights = {}};
  if (attention_) next.weights.push_back(with_heads(found.weights));
  return next;
}

Decoded RecurrentDecoder::operator()(const Encoded& encoded, const Targets& targets) const {
  DecoderState state = start(encoded);
  begin(state, targets.input.shape()[1]);
  // Steps beyond the lengths get no gradient, but without masked(), 0 times a NaN that is embedded
  // there would become one.
  const KnownInput tokens = embed(targets.input).masked(targets.lengths);
  std::vector<Tensor> steps, penalties, log_probabilities;
  // Step 9, repeat, once for each token of the target.
  for (std::int64_t t = 0; t < targets.input.shape()[0]; ++t) {
    const bool forced = t == 0 || targets.teacher_forcing >= 1 ||
                        batch_generator().uniform() < targets.teacher_forcing;
    AttentionResult found;
    if (forced) {
      found = step(tokens[t], state, /*weights=*/false);
    } else {
      const Indices own = most_probable(steps.back());
      const KnownInput last = embed(own.reshape({1, own.elements()}));
      found = step(last.masked(going_on(targets.lengths, t))[0], state, /*weights=*/false);
    }
    steps.push_back(combined(state, found));
    if (found.penalty.defined()) penalties.push_back(found.penalty);
    if (found.log_probability.defined()) log_probabilities.push_back(found.log_probability);
  }
  // One product for all steps: W [s ; c] for each step alone would cost several times as much.
  return {output(stack(steps)), penalties.empty() ? Tensor() : stack(penalties),
          log_probabilities.empty() ? Tensor() : stack(log_probabilities)};
}

// Without a source the number of targets is known only at the first step.
void RecurrentDecoder::begin(DecoderState& state, std::int64_t batch) const {
  if (!state.layers.empty()) return;
  for (const auto& cell : cells_) state.layers.push_back(cell->initial_state(batch));
}

std::shared_ptr<Decoder> make_recurrent_decoder(const EncoderDecoderOptions& options,
                                                std::int64_t source_size) {
  return std::make_shared<RecurrentDecoder>(
      RecurrentDecoderOptions{.vocabulary = options.target_vocabulary,
                              .source_size = source_size,
                              .cell = options.cell,
                              .embedding = options.embedding_size(),
                              .size = options.state_size(),
                              .layers = options.layer_count(),
                              .dropout = options.dropout,
                              .attention = options.attention,
                              .normalizer = options.normalizer,
                              .locality = options.locality,
                              .attention_hidden = options.hidden,
                              .heads = options.head_count()});
}

}  // namespace attune
