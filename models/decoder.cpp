#include "attune/models/decoder.h"

#include <cstddef>
#include <utility>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/scopes.h"

namespace attune {
namespace {

std::int64_t context_size(const EncoderDecoderOptions& options) {
  return options.has_attention() ? options.state_size() : 0;
}

// Which sequences still go on at a step: lengths of 1, and 0 for the others.
Indices going_on(const Indices& lengths, std::int64_t step) {
  if (!lengths.defined()) return {};
  std::vector<std::int32_t> at_step = lengths.to_vector();
  for (std::int32_t& length : at_step) length = length > step ? 1 : 0;
  return Indices(at_step, lengths.shape());
}

// No gradient comes from steps beyond the lengths, but 0 times a NaN that they are told would.
ProjectedInput masked(ProjectedInput told, const Indices& lengths) {
  told.gates = mask_padding(std::move(told.gates), lengths);
  return told;
}

}  // namespace

Decoder::Decoder(const EncoderDecoderOptions& options)
    : embedding_(child("embedding", Embedding(options.target_vocabulary, options.embedding))),
      dropout_(options.dropout),
      output_(child("output", Linear(options.state_size() + context_size(options),
                                     options.target_vocabulary))) {
  const std::int64_t size = options.state_size();
  if (options.has_attention())
    attention_ = child("attention", Attention(options.attention, {.query_size = size,
                                                                  .hidden = options.hidden}));
  for (int i = 0; i < options.layers; ++i) {
    const std::int64_t input = i == 0 ? options.embedding + context_size(options) : size;
    cells_.push_back(child(fmt::format("layer{}", i), make_cell(options.cell, input, size)));
    Bridge bridge{child(fmt::format("bridge{}_h", i), Linear(size, size)), {}};
    if (cells_.back()->initial_state(1).c.defined())
      bridge.c = child(fmt::format("bridge{}_c", i), Linear(size, size));
    bridges_.push_back(bridge);
  }
}

Memory Decoder::memorize(const Encoded& encoded) const {
  return attention_ ? attention_->memorize(encoded.states, encoded.lengths) : Memory{};
}

DecoderState Decoder::start(const Encoded& encoded) const {
  DecoderState state;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const auto& [h, c] = encoded.last[i];
    state.layers.push_back(
        {tanh(bridges_[i].h(h)), bridges_[i].c ? tanh((*bridges_[i].c)(c)) : Tensor()});
  }
  return state;
}

ProjectedInput Decoder::read(const Indices& tokens) const {
  return dropout_.active() ? cells_[0]->project(dropout_(embedding_(tokens)))
                           : cells_[0]->project(embedding_, tokens);
}

DecoderStep Decoder::step(const ProjectedInput& previous, const DecoderState& state,
                          const Memory& memory) const {
  DecoderStep result;
  if (attention_) {
    const AttentionResult found = attention_->attend(state.query(), memory);
    result.context = found.context;
    result.weights = found.weights;
  }
  RecurrentInput x(result.context, previous);
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (i > 0) x = dropout_(result.state.query());
    result.state.layers.push_back((*cells_[i])(x, state.layers[i]));
  }
  return result;
}

Tensor Decoder::output(const Tensor& states, const Tensor& contexts) const {
  return output_(dropout_(contexts.defined() ? concat({states, contexts}, -1) : states));
}

Tensor Decoder::operator()(const Encoded& encoded, const Indices& target_input,
                           const Indices& lengths, double teacher_forcing) const {
  const auto own_choice = [&](const DecoderStep& step) {
    const NoGrad no_grad;
    const Eval eval;
    return argmax(output(step.state.query(), step.context));
  };
  const auto read_own_choice = [&](const DecoderStep& step, std::int64_t t) {
    const Indices chosen = own_choice(step);
    return masked(read(chosen.reshape({1, chosen.elements()})), going_on(lengths, t))[0];
  };

  const Memory memory = memorize(encoded);
  const ProjectedInput told = masked(read(target_input), lengths);  // [T, B, G H]
  DecoderStep now{.state = start(encoded), .context = {}, .weights = {}};
  std::vector<Tensor> states, contexts;
  for (std::int64_t t = 0; t < target_input.shape()[0]; ++t) {
    const bool tell =
        t == 0 || teacher_forcing >= 1 || batch_generator().uniform() < teacher_forcing;
    now = step(tell ? told[t] : read_own_choice(now, t), now.state, memory);
    states.push_back(now.state.query());
    if (attention_) contexts.push_back(now.context);
  }
  // One product for all steps: W [s ; c] for each step alone would cost several times as much.
  return output(stack(states), attention_ ? stack(contexts) : Tensor());
}

}  // namespace attune
