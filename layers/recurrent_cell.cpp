#include "attune/layers/recurrent_cell.h"

#include <cmath>

#include "attune/autograd/ops/embedding.h"
#include "attune/autograd/ops/linear.h"
#include "attune/layers/gru_cell.h"
#include "attune/layers/lstm_cell.h"
#include "attune/layers/rnn_cell.h"

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

// The choice by name

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
          {"gru", "gates that reset and update one state", "Cho et al. 2014", make<GRUCell>},
          {"lstm", "gates that write, forget and show a memory cell",
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
