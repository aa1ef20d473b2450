#include "attune/layers/recurrent.h"

#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/known_input.h"

namespace attune {
namespace {

void check_states(const char* layer, const std::vector<RecurrentState>& initial, int expected) {
  ATTUNE_CHECK(initial.empty() || std::ssize(initial) == expected,
               "{}: {} initial states given; expected {}, one for each layer and direction", layer,
               initial.size(), expected);
}

// One layer's directions.
RecurrentResult side_by_side(const std::vector<SequenceResult>& results) {
  std::vector<Tensor> outputs;
  RecurrentResult joined;
  for (const SequenceResult& result : results) {
    outputs.push_back(result.output);
    joined.states.push_back({result.h, result.c});
  }
  joined.output = outputs.size() == 1 ? outputs[0] : concat(outputs, -1);
  return joined;
}

}  // namespace

RecurrentLayer::RecurrentLayer(std::string_view kind, std::int64_t input, std::int64_t hidden,
                               bool bidirectional) {
  cells_.push_back(child("forward", make_cell(kind, input, hidden)));
  if (bidirectional) cells_.push_back(child("backward", make_cell(kind, input, hidden)));
}

RecurrentResult RecurrentLayer::operator()(const Tensor& x, const Indices& lengths,
                                           const std::vector<RecurrentState>& initial) const {
  const LayerScope scope(*this);
  check_states("RecurrentLayer", initial, static_cast<int>(cells_.size()));
  std::vector<SequenceResult> results;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    results.push_back(cells_[i]->run(x, initial.empty() ? RecurrentState{} : initial[i],
                                     {lengths, /*reverse=*/i == 1}));
  return side_by_side(results);
}

RecurrentResult RecurrentLayer::of_tokens(const Embedding& embedding, const Indices& ids,
                                          const Indices& lengths) const {
  const LayerScope scope(*this);
  std::vector<SequenceResult> results;
  for (std::size_t i = 0; i < cells_.size(); ++i)
    results.push_back(
        KnownInput(*cells_[i], embedding, ids).run({}, {lengths, /*reverse=*/i == 1}));
  return side_by_side(results);
}

Recurrent::Recurrent(std::string_view kind, std::int64_t input, std::int64_t hidden,
                     const RecurrentOptions& options)
    : input_(input),
      hidden_(hidden),
      directions_(options.bidirectional ? 2 : 1),
      outputs_(child("outputs", StackedOutputs({.layers = options.layers,
                                                .size = output_size(),
                                                .residual = options.residual,
                                                .layer_norm = options.layer_norm}))),
      dropout_(options.dropout) {
  ATTUNE_CHECK(options.layers >= 1, "Recurrent: {} layers; expected at least 1", options.layers);
  for (int i = 0; i < options.layers; ++i)
    layers_.push_back(
        child(fmt::format("layer{}", i),
              RecurrentLayer(kind, i == 0 ? input : output_size(), hidden, options.bidirectional)));
}

RecurrentResult Recurrent::operator()(const Tensor& x, const Indices& lengths,
                                      const std::vector<RecurrentState>& initial) const {
  const LayerScope scope(*this);
  return upper_layers(layers_[0](x, lengths, initial_of(0, initial)), lengths, initial);
}

RecurrentResult Recurrent::of_tokens(const Embedding& embedding, const Indices& ids,
                                     const Indices& lengths) const {
  const LayerScope scope(*this);
  return upper_layers(layers_[0].of_tokens(embedding, ids, lengths), lengths, {});
}

std::vector<RecurrentState> Recurrent::initial_of(
    int layer, const std::vector<RecurrentState>& initial) const {
  check_states("Recurrent", initial, layers() * directions_);
  if (initial.empty()) return {};
  const auto first = initial.begin() + layer * directions_;
  return {first, first + directions_};
}

RecurrentResult Recurrent::upper_layers(RecurrentResult result, const Indices& lengths,
                                        const std::vector<RecurrentState>& initial) const {
  result.output = outputs_(0, result.output, {});
  for (int i = 1; i < layers(); ++i) {
    const auto layer = static_cast<std::size_t>(i);
    auto [output, states] =
        layers_[layer](dropout_(result.output), lengths, initial_of(i, initial));
    result.output = outputs_(layer, output, result.output);
    result.states.insert(result.states.end(), states.begin(), states.end());
  }
  if (outputs_.shifts()) result.output = mask_padding(result.output, lengths);
  return result;
}

}  // namespace attune
