#include "attune/layers/rnn_cell.h"

#include "attune/autograd/ops/projected_input.h"

namespace attune {

RecurrentState RNNCell::operator()(const Tensor& x, const RecurrentState& state) const {
  const LayerScope scope(*this);
  return {rnn_cell(x, state.h, weights_, activation_), {}};
}

SequenceResult RNNCell::run(const Tensor& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  const LayerScope scope(*this);
  return rnn_sequence(x, state.h, weights_, options, activation_);
}

kernels::Cell RNNCell::kind() const {
  return activation_ == RnnActivation::relu ? kernels::Cell::rnn_relu : kernels::Cell::rnn_tanh;
}

}  // namespace attune
