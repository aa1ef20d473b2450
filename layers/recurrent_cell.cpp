#include "attune/layers/recurrent_cell.h"

#include <cmath>
#include <functional>

#include "attune/autograd/array/lookup.h"
#include "attune/autograd/ops/embedding.h"
#include "attune/autograd/ops/linear.h"

namespace attune {

RecurrentCell::RecurrentCell(std::int64_t input, std::int64_t hidden, std::int64_t gates) {
  ATTUNE_CHECK(
      hidden >= 1 && hidden <= Shape::kMaxElements / gates,
      "recurrent cell: {} hidden units asked for; it needs at least 1, and fewer than 2^59 "
      "with all its gates",
      hidden);
  const double bound = 1 / std::sqrt(static_cast<double>(hidden));
  const Initializer initializer = uniform(-bound, bound);
  weights_.weight_ih = param("weight_ih", {gates * hidden, input}, initializer);
  weights_.weight_hh = param("weight_hh", {gates * hidden, hidden}, initializer);
  weights_.bias_ih = param("bias_ih", {gates * hidden}, initializer);
  weights_.bias_hh = param("bias_hh", {gates * hidden}, initializer);
}

RecurrentState RecurrentCell::initial_state(std::int64_t batch) const {
  return {Array::zeros({batch, hidden_size()}, weights_.weight_hh.dtype()), {}};
}

ProjectedInput RecurrentCell::project(const Tensor& y) const {
  return {linear(y, weights_.weight_ih, {}, 0), y.shape().last()};
}

ProjectedInput RecurrentCell::project(const Embedding& embedding, const Indices& ids) const {
  return {embedding_linear(embedding.weight(), ids, weights_.weight_ih), embedding.features()};
}

// RNN

RecurrentState RNNCell::operator()(const RecurrentInput& x, const RecurrentState& state) const {
  return {rnn_cell(x, state.h, weights_, activation_), {}};
}

SequenceResult RNNCell::run(const RecurrentInput& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  return rnn_sequence(x, state.h, weights_, options, activation_);
}

// GRU

RecurrentState GRUCell::operator()(const RecurrentInput& x, const RecurrentState& state) const {
  return {gru_cell(x, state.h, weights_), {}};
}

SequenceResult GRUCell::run(const RecurrentInput& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  return gru_sequence(x, state.h, weights_, options);
}

// LSTM

RecurrentState LSTMCell::operator()(const RecurrentInput& x, const RecurrentState& state) const {
  const auto [h, c] = lstm_cell(x, {state.h, state.c}, weights_);
  return {h, c};
}

SequenceResult LSTMCell::run(const RecurrentInput& x, const RecurrentState& state,
                             const SequenceOptions& options) const {
  return lstm_sequence(x, {state.h, state.c}, weights_, options);
}

RecurrentState LSTMCell::initial_state(std::int64_t batch) const {
  RecurrentState state = RecurrentCell::initial_state(batch);
  state.c = Array::zeros(state.h.shape(), state.h.dtype());
  return state;
}

// The choice by name

namespace {

using CellPointer = std::shared_ptr<RecurrentCell>;
using CellMaker = std::function<CellPointer(std::int64_t input, std::int64_t hidden)>;

template <typename Cell, auto... arguments>
CellPointer make(std::int64_t input, std::int64_t hidden) {
  return std::make_shared<Cell>(input, hidden, arguments...);
}

const NameTable<CellMaker>& table() {
  static const NameTable<CellMaker> cells = {
      {"rnn", make<RNNCell>},
      {"rnn_relu", make<RNNCell, RnnActivation::relu>},
      {"gru", make<GRUCell>},
      {"lstm", make<LSTMCell>},
  };
  return cells;
}

}  // namespace

std::shared_ptr<RecurrentCell> make_cell(std::string_view kind, std::int64_t input,
                                         std::int64_t hidden) {
  return look_up(table(), kind, "recurrent cell")(input, hidden);
}

std::vector<std::string> cell_names() { return names_of(table()); }

}  // namespace attune
