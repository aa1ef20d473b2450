#include "attune/layers/recurrent_cell.h"

#include <utility>

#include "attune/autograd/ops/comparison.h"
#include "attune/autograd/ops/padding.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/layers/gru_cell.h"
#include "attune/layers/lstm_cell.h"
#include "attune/layers/rnn_cell.h"

namespace attune {
namespace {

// [B, 1]: whether step t is within the length of each sequence. Beyond it the state is kept.
Array is_inside(std::int64_t t, const Indices& lengths) {
  Array inside(Shape{lengths.elements(), 1}, DType::boolean);
  bool* const values = inside.mutable_data<bool>();
  for (std::int64_t b = 0; b < lengths.elements(); ++b) values[b] = t < lengths.at(b);
  return inside;
}

}  // namespace

RecurrentCell::RecurrentCell(std::int64_t input, std::int64_t hidden)
    : input_(input), hidden_(hidden) {
  ATTUNE_CHECK(input >= 1, "recurrent cell: {} inputs; expected at least 1", input);
  ATTUNE_CHECK(hidden >= 1, "recurrent cell: {} hidden units; expected at least 1", hidden);
}

RecurrentState RecurrentCell::initial_state(std::int64_t batch) const {
  return {Array::zeros({batch, hidden_}, dtype()), {}};
}

SequenceResult RecurrentCell::run(const Tensor& x, const RecurrentState& start,
                                  const SequenceOptions& options) const {
  const LayerScope scope(*this);
  ATTUNE_CHECK(x.rank() == 3 && x.size(2) == input_,
               "recurrent cell: x must be [T, B, {}], time first; got {}", input_, x.shape());
  const std::int64_t steps = x.size(0), batch = x.size(1);
  const Tensor clean = mask_padding(x, options.lengths);
  RecurrentState state = start.h.defined() ? start : initial_state(batch);
  std::vector<Tensor> outputs(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t t = options.reverse ? steps - 1 - i : i;
    RecurrentState next = (*this)(clean[t], state);
    if (options.lengths.defined()) {
      const Array inside = is_inside(t, options.lengths);
      next.h = where(inside, next.h, state.h);
      if (next.c.defined()) next.c = where(inside, next.c, state.c);
    }
    state = std::move(next);
    outputs[static_cast<std::size_t>(t)] = state.h;
  }
  const Tensor output =
      outputs.empty() ? Array::zeros({0, batch, hidden_}, state.h.dtype()) : stack(outputs);
  return {mask_padding(output, options.lengths), state.h, state.c};
}

// Cells by name

namespace {

template <typename Cell, auto... arguments>
std::shared_ptr<RecurrentCell> make(std::int64_t input, std::int64_t hidden) {
  return std::make_shared<Cell>(input, hidden, arguments...);
}

}  // namespace

Family<CellMaker>& cells() {
  static Family<CellMaker> family(
      "recurrent cell",
      {
          {"rnn", "tanh(W x + U h + b)", "Elman 1990", make<RNNCell>},
          {"rnn_relu", "max(W x + U h + b, 0)", "Le et al. 2015",
           make<RNNCell, RnnActivation::relu>},
          {"gru", "reset and update gates on one state", "Cho et al. 2014", make<GRUCell>},
          {"lstm", "input, forget and output gates on a memory cell",
           "Hochreiter and Schmidhuber 1997; Gers et al. 2000", make<LSTMCell>},
      });
  return family;
}

std::shared_ptr<RecurrentCell> make_cell(std::string_view kind, std::int64_t input,
                                         std::int64_t hidden) {
  return cells().at(kind).make(input, hidden);
}

std::vector<std::string> cell_names() { return cells().names(); }

}  // namespace attune
