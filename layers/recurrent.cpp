#include "attune/layers/recurrent.h"

#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

void check_states(const char* layer, const std::vector<RecurrentState>& initial, int expected) {
  ATTUNE_CHECK(initial.empty() || std::ssize(initial) == expected,
               "{}: {} initial states given; expected {}, one for each layer and direction", layer,
               initial.size(), expected);
}

}  // namespace

RecurrentLayer::RecurrentLayer(std::string_view kind, std::int64_t input, std::int64_t hidden,
                               bool bidirectional) {
  cells_.push_back(child("forward", make_cell(kind, input, hidden)));
  if (bidirectional) cells_.push_back(child("backward", make_cell(kind, input, hidden)));
}

RecurrentResult RecurrentLayer::operator()(const Tensor& x, const Indices& lengths,
                                           const std::vector<RecurrentState>& initial) const {
  return run(std::vector<RecurrentInput>(cells_.size(), x), lengths, initial);
}

RecurrentResult RecurrentLayer::operator()(const Embedding& embedding, const Indices& ids,
                                           const Indices& lengths,
                                           const std::vector<RecurrentState>& initial) const {
  std::vector<RecurrentInput> inputs;
  for (const auto& cell : cells_) inputs.emplace_back(Tensor(), cell->project(embedding, ids));
  return run(inputs, lengths, initial);
}

RecurrentResult RecurrentLayer::run(const std::vector<RecurrentInput>& inputs,
                                    const Indices& lengths,
                                    const std::vector<RecurrentState>& initial) const {
  check_states("RecurrentLayer", initial, static_cast<int>(cells_.size()));
  std::vector<Tensor> outputs;
  std::vector<RecurrentState> states;
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const RecurrentState start = initial.empty() ? RecurrentState{} : initial[i];
    SequenceResult result = cells_[i]->run(inputs[i], start, {lengths, /*reverse=*/i == 1});
    outputs.push_back(result.output);
    states.push_back({result.h, result.c});
  }
  return {outputs.size() == 1 ? outputs[0] : concat(outputs, -1), states};
}

Recurrent::Recurrent(std::string_view kind, std::int64_t input, std::int64_t hidden,
                     const RecurrentOptions& options)
    : input_(input),
      hidden_(hidden),
      directions_(options.bidirectional ? 2 : 1),
      dropout_(options.dropout) {
  ATTUNE_CHECK(options.layers >= 1, "Recurrent: {} layers asked for; it needs at least 1",
               options.layers);
  for (int i = 0; i < options.layers; ++i)
    layers_.push_back(
        child(fmt::format("layer{}", i),
              RecurrentLayer(kind, i == 0 ? input : output_size(), hidden, options.bidirectional)));
}

RecurrentResult Recurrent::operator()(const Tensor& x, const Indices& lengths,
                                      const std::vector<RecurrentState>& initial) const {
  return rise(layers_[0](x, lengths, initial_of(0, initial)), lengths, initial);
}

RecurrentResult Recurrent::operator()(const Embedding& embedding, const Indices& ids,
                                      const Indices& lengths,
                                      const std::vector<RecurrentState>& initial) const {
  return rise(layers_[0](embedding, ids, lengths, initial_of(0, initial)), lengths, initial);
}

std::vector<RecurrentState> Recurrent::initial_of(
    int layer, const std::vector<RecurrentState>& initial) const {
  check_states("Recurrent", initial, layers() * directions_);
  if (initial.empty()) return {};
  const auto first = initial.begin() + layer * directions_;
  return {first, first + directions_};
}

RecurrentResult Recurrent::rise(RecurrentResult result, const Indices& lengths,
                                const std::vector<RecurrentState>& initial) const {
  for (int i = 1; i < layers(); ++i) {
    auto [output, states] = layers_[static_cast<std::size_t>(i)](dropout_(result.output), lengths,
                                                                 initial_of(i, initial));
    result.output = output;
    result.states.insert(result.states.end(), states.begin(), states.end());
  }
  return result;
}

}  // namespace attune
