#include "layer_cases.h"

using namespace attune;

namespace {

void append(Operands& tensors, const RecurrentState& state) {
  tensors.push_back(state.h);
  if (state.c.defined()) tensors.push_back(state.c);
}

LayerCase cell_case(const std::string& kind) {
  const bool lstm = kind == "lstm";
  LayerCase row{
      .name = kind + " cell",
      .inputs = {{"x", {3, 4}, {131, 33}}, {"h", {3, 5}, {131, 65}}},
      .outputs = {"h"},
      .make =
          [=](Size size) {
            const auto cell = size == Size::small ? make_cell(kind, 4, 5) : make_cell(kind, 33, 65);
            return MadeLayer{cell, [=](const Operands& x, const Indices&) {
                               Operands outputs;
                               append(outputs, (*cell)(x[0], {x[1], lstm ? x[2] : Tensor()}));
                               return outputs;
                             }};
          },
      .golden = {{"recurrent", kind + " cell"}},
      .bad_calls = {{"0 hidden units", [=] { make_cell(kind, 4, 0); }},
                    {"x [2, 3] has 3 features but weight_ih", [=] {
                       const auto cell = make_cell(kind, 4, 5);
                       (*cell)(of({2, 3}), cell->initial_state(2));
                     }}}};
  if (lstm) {
    row.inputs.push_back({"c", {3, 5}, {131, 65}});
    row.outputs.push_back("c");
  }
  return row;
}

// The states of all layers and directions side by side in the first axis, as PyTorch has them.
Operands with_states(const RecurrentResult& result) {
  std::vector<Tensor> h, c;
  for (const RecurrentState& state : result.states) {
    h.push_back(state.h);
    if (state.c.defined()) c.push_back(state.c);
  }
  Operands outputs{result.output, stack(h)};
  if (!c.empty()) outputs.push_back(stack(c));
  return outputs;
}

LayerCase network_case(const std::string& kind, bool stacked) {
  const bool lstm = kind == "lstm";
  const RecurrentOptions options{.layers = stacked ? 2 : 1, .bidirectional = stacked};
  const std::int64_t states = stacked ? 4 : 1;
  LayerCase row{
      .name = kind + (stacked ? " network of two layers in two directions" : " network"),
      .inputs = {{"x", {5, 3, 4}, {9, 67, 33}}, {"h", {states, 3, 3}, {states, 67, 65}}},
      .outputs = {"output", "h"},
      .make =
          [=](Size size) {
            const auto run = [=](const Recurrent& network, const Operands& x,
                                 const Indices& lengths) {
              std::vector<RecurrentState> initial;
              for (std::int64_t i = 0; x.size() > 1 && i < states; ++i)
                initial.push_back({x[1][i], x.size() > 2 ? x[2][i] : Tensor()});
              return with_states(network(x[0], lengths, initial));
            };
            return made(size == Size::small ? Recurrent(kind, 4, 3, options)
                                            : Recurrent(kind, 33, 65, options),
                        run);
          },
      .indices = "lengths",
      .bad_calls = {
          {"3 initial states given",
           [=] {
             Recurrent(kind, 2, 3, options)(of({1, 1, 2}), {}, std::vector<RecurrentState>(3));
           }},
          {"0 layers; expected at least 1", [=] { Recurrent(kind, 2, 3, {.layers = 0}); }}}};
  row.golden =
      stacked ? decltype(row.golden){{"recurrent", kind + " stacked in two directions"}}
              : decltype(row.golden){{"recurrent", kind}, {"recurrent", kind + " with lengths"}};
  if (lstm) {
    row.inputs.push_back({"c", {states, 3, 3}, {states, 67, 65}});
    row.outputs.push_back("c");
  }
  return row;
}

}  // namespace

std::vector<LayerCase> recurrent_layer_cases() {
  std::vector<LayerCase> cases;
  for (const std::string& kind : cell_names()) {
    cases.push_back(cell_case(kind));
    for (const bool stacked : {false, true}) cases.push_back(network_case(kind, stacked));
  }
  return cases;
}
