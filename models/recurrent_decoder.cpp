#include "attune/models/recurrent_decoder.h"

#include <cstddef>
#include <utility>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"
#include "attune/data/vocabulary.h"
#include "attune/layers/attention/coverage_score.h"
#include "attune/layers/attention/stage_recorder.h"
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

// The mean over the heads, [B, S].
Tensor mean_of_heads(const Tensor& weights) {
  return weights.rank() == 3 ? mean(weights, 1) : weights;
}

// The same members of several steps, stacked.
OutputInput stacked(const std::vector<OutputInput>& steps) {
  const auto all = [&](Tensor OutputInput::*member) {
    std::vector<Tensor> values;
    for (const OutputInput& step : steps)
      if ((step.*member).defined()) values.push_back(step.*member);
    return values.empty() ? Tensor() : stack(values);
  };
  return {all(&OutputInput::combined), all(&OutputInput::state), all(&OutputInput::previous),
          all(&OutputInput::weights)};
}

// a + b, where either may be undefined.
Tensor sum_of(const Tensor& a, const Tensor& b) {
  if (!a.defined() || !b.defined()) return a.defined() ? a : b;
  return a + b;
}

// What is added to the loss of each step; see Decoded::penalty.
class Penalty {
 public:
  explicit Penalty(double coverage_loss) : factor_(coverage_loss) {}

  void add(const AttentionResult& found) {
    Tensor penalty = found.penalty;
    if (factor_ > 0) {
      const Tensor weights = mean_of_heads(found.weights);
      penalty = sum_of(penalty, factor_ * coverage_loss(weights, coverage_));
      coverage_ = sum_of(coverage_, weights);
    }
    if (penalty.defined()) steps_.push_back(penalty);
  }

  // [T, B]; not defined: nothing.
  Tensor of_all_steps() const { return steps_.empty() ? Tensor() : stack(steps_); }

 private:
  double factor_;
  Tensor coverage_;  // [B, S]; not defined before the first step
  std::vector<Tensor> steps_;
};

void check(const RecurrentDecoderOptions& options) {
  ATTUNE_CHECK(options.query == "previous" || options.query == "current",
               "RecurrentDecoder: query is '{}'; expected previous or current", options.query);
  ATTUNE_CHECK(options.query == "previous" || attends(options),
               "RecurrentDecoder: there is no attention that the current state could be the query "
               "of");
  ATTUNE_CHECK(!options.input_feeding || options.query == "current",
               "RecurrentDecoder: input feeding needs the query 'current'; with 'previous' the "
               "context is part of the input anyway");
}

}  // namespace

struct RecurrentDecoder::Previous {
  KnownInput input;  // embedded, as the first cell takes it
  Tensor embedding;  // [..., B, E], for output layers that read it; else not defined

  Previous operator[](std::int64_t step) const {
    return {input[step], embedding.defined() ? embedding[step] : Tensor()};
  }
};

RecurrentDecoder::RecurrentDecoder(const RecurrentDecoderOptions& options)
    : embedding_(child("embedding", Embedding(options.vocabulary, options.embedding))),
      dropout_(options.dropout),
      stack_(child("stack", StackedOutputs({.layers = options.layers,
                                            .size = options.size,
                                            .residual = options.residual,
                                            .layer_norm = options.layer_norm}))),
      input_feeding_(options.input_feeding) {
  check(options);
  const std::int64_t size = options.size, context = context_size(options);
  const bool is_current = options.query == "current";
  OutputLayerOptions output{.combined = is_current ? size : size + context,
                            .state = size,
                            .embedding = options.embedding,
                            .source_size = options.source_size,
                            .vocabulary = options.vocabulary,
                            .copied_as = options.copied_as};
  output_ = child("output", make_output_layer(options.output_layer, output));
  reads_ = output_->reads();
  ATTUNE_CHECK(!reads_.weights || attends(options),
               "RecurrentDecoder: output layer '{}' reads the weights of attention, and there is "
               "none",
               options.output_layer);
  if (attends(options))
    attention_ =
        child("attention", Attention(options.attention, {.query_size = size,
                                                         .key_size = options.source_size,
                                                         .hidden = options.attention_hidden,
                                                         .heads = options.heads,
                                                         .normalizer = options.normalizer,
                                                         .locality = options.locality}));
  if (is_current) combine_ = child("combine", Linear(size + context, size));
  const std::int64_t fed = is_current ? (input_feeding_ ? size : 0) : context;
  for (int i = 0; i < options.layers; ++i) {
    const std::int64_t input = i == 0 ? options.embedding + fed : size;
    cells_.push_back(child(fmt::format("layer{}", i), make_cell(options.cell, input, size)));
    if (options.source_size == 0) continue;
    Bridge bridge{child(fmt::format("bridge{}_h", i), Linear(options.source_size, size)), {}};
    if (cells_.back()->initial_state(1).c.defined())
      bridge.c = child(fmt::format("bridge{}_c", i), Linear(options.source_size, size));
    bridges_.push_back(bridge);
  }
}

DecoderState RecurrentDecoder::start(const Encoded& encoded) const {
  const LayerScope scope(*this);
  DecoderState state;
  // Step 3, keys and values: the encoder's states, projected once.
  if (attention_) state.source = {attention_->memorize(encoded.states, encoded.lengths)};
  if (bridges_.empty()) return state;  // a language model
  state.output = output_->read(encoded);
  for (std::size_t i = 0; i < bridges_.size(); ++i) {
    const auto [h, c] = encoded.summary(i);
    const auto& bridge = bridges_[i];
    state.layers.push_back(
        {tanh(bridge.h(h)), bridge.c ? tanh((*bridge.c)(c.defined() ? c : h)) : Tensor()});
  }
  if (input_feeding_) state.combined = Array::zeros(state.query().shape(), state.query().dtype());
  return state;
}

RecurrentDecoder::Previous RecurrentDecoder::embed(const Indices& tokens) const {
  return {dropout_.active() ? KnownInput(*cells_[0], dropout_(embedding_(tokens)))
                            : KnownInput(*cells_[0], embedding_, tokens),
          reads_.previous ? embedding_(tokens) : Tensor()};
}

// Steps beyond the lengths get no gradient, but without a mask, 0 times a NaN that is embedded
// there would become one.
RecurrentDecoder::Previous RecurrentDecoder::embed(const Indices& tokens,
                                                   const Indices& lengths) const {
  const Previous previous = embed(tokens);
  return {previous.input.masked(lengths),
          previous.embedding.defined() ? mask_padding(previous.embedding, lengths) : Tensor()};
}

// Step 2, query: s_{t-1}, or s_t with the current query. Steps 4 to 7, score, weights, weighted
// sum, context: in Attention::attend().
AttentionResult RecurrentDecoder::attend(DecoderState& state, bool weights) const {
  const Tensor& query = recorded(AttentionStage::query, "s", state.query());
  AttentionResult found = attention_->attend(query, state.source[0], state.attention,
                                             {.weights = weights || reads_.weights});
  state.attention = std::move(found.next);
  return found;
}

RecurrentDecoder::Step RecurrentDecoder::step(const Previous& previous, DecoderState& state,
                                              bool weights) const {
  AttentionResult found;
  if (attention_ && !combine_) found = attend(state, weights);
  // Step 8, combine: the context, or that of the step before, is joined to the previous token's
  // embedding in the cell, and to the new state in combined().
  state.layers[0] = previous.input.step(combine_ ? state.combined : found.context, state.layers[0]);
  Tensor y = stack_(0, state.layers[0].h, {});
  for (std::size_t i = 1; i < cells_.size(); ++i) {
    state.layers[i] = (*cells_[i])(dropout_(y), state.layers[i]);
    y = stack_(i, state.layers[i].h, y);
  }
  recorded(AttentionStage::combine, "s", y);
  if (attention_ && combine_) found = attend(state, weights);
  ++state.position;
  Step now{.attention = std::move(found), .output = {}};
  now.output.combined = combined(y, now.attention.context);
  if (input_feeding_) state.combined = now.output.combined;
  if (reads_.state) now.output.state = y;
  if (reads_.previous) now.output.previous = previous.embedding;
  if (reads_.weights) now.output.weights = mean_of_heads(now.attention.weights);
  return now;
}

Tensor RecurrentDecoder::combined(const Tensor& state, const Tensor& context) const {
  if (!attention_) return state;
  const Tensor both = recorded(AttentionStage::combine, "[s ; c]", concat({state, context}, -1));
  return combine_ ? recorded(AttentionStage::combine, "c~", tanh((*combine_)(both))) : both;
}

Tensor RecurrentDecoder::output(OutputInput input, const OutputSource& source) const {
  input.combined = dropout_(input.combined);
  return (*output_)(input, source);
}

Indices RecurrentDecoder::most_probable(const OutputInput& input,
                                        const OutputSource& source) const {
  const NoGrad no_grad;
  const Eval eval;
  return argmax(output(input, source));
}

Prediction RecurrentDecoder::predict(const Indices& previous, DecoderState& state) const {
  const LayerScope scope(*this);
  begin(state, previous.elements());
  const Step now = step(embed(known(previous)), state, /*weights=*/true);
  Tensor logits = output(now.output, state.output);
  recorded(AttentionStage::repeat, "s", state.query());
  Prediction next{.logits = recorded(AttentionStage::combine, "logits", std::move(logits)),
                  .weights = {},
                  .copying = {output_->copies(now.output), state.output.tokens}};
  if (attention_) next.weights.push_back(with_heads(now.attention.weights));
  return next;
}

Decoded RecurrentDecoder::operator()(const Encoded& encoded, const Targets& targets) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(targets.coverage_loss == 0 || attention_,
               "RecurrentDecoder: there is no attention for a coverage loss of {}",
               targets.coverage_loss);
  DecoderState state = start(encoded);
  begin(state, targets.input.shape()[1]);
  const Previous tokens = embed(known(targets.input), targets.lengths);
  const bool weights = targets.coverage_loss > 0;
  Penalty penalty(targets.coverage_loss);
  std::vector<OutputInput> steps;
  std::vector<Tensor> log_probabilities;
  // Step 9, repeat, once for each token of the target.
  for (std::int64_t t = 0; t < targets.input.shape()[0]; ++t) {
    const bool forced = t == 0 || targets.teacher_forcing >= 1 ||
                        batch_generator().uniform() < targets.teacher_forcing;
    Step now;
    if (forced) {
      now = step(tokens[t], state, weights);
    } else {
      const Indices own = known(most_probable(steps.back(), state.output));
      const Previous last = embed(own.reshape({1, own.elements()}), going_on(targets.lengths, t));
      now = step(last[0], state, weights);
    }
    steps.push_back(std::move(now.output));
    penalty.add(now.attention);
    if (now.attention.log_probability.defined())
      log_probabilities.push_back(now.attention.log_probability);
  }
  // One product for all steps: W [s ; c] for each step alone would cost several times as much.
  return {output(stacked(steps), state.output), penalty.of_all_steps(),
          log_probabilities.empty() ? Tensor() : stack(log_probabilities)};
}

Indices RecurrentDecoder::known(const Indices& tokens) const {
  if (output_->copied_vocabulary() == 0) return tokens;
  std::vector<std::int32_t> ids = tokens.to_vector();
  for (std::int32_t& id : ids)
    if (id >= embedding_.vocabulary()) id = Vocabulary::unknown;
  return Indices(ids, tokens.shape());
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
                              .residual = options.residual,
                              .layer_norm = options.layer_norm,
                              .dropout = options.dropout,
                              .query = options.query,
                              .input_feeding = options.input_feeding,
                              .attention = options.attention,
                              .normalizer = options.normalizer,
                              .locality = options.locality,
                              .attention_hidden = options.hidden,
                              .heads = options.head_count(),
                              .output_layer = options.output_layer,
                              .copied_as = options.copied_as});
}

}  // namespace attune
