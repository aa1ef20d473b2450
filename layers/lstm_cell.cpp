#include "attune/layers/lstm_cell.h"

#include "attune/autograd/ops/projected_input.h"

namespace attune {

RecurrentState LSTMCell::operator()(const Tensor& x, const RecurrentState& state) const {
  const LayerScope scope(*this);
  const auto [h, c] = lstm_cell(x, {state.h, state.c}, weights_);
  return {h, c};
}

SequenceResult LSTMCell::run(const Tensor& x, const RecurrentState& state,
                             const SequenceOptions& options) const {
  const LayerScope scope(*this);
  return lstm_sequence(x, {state.h, state.c}, weights_, options);
}

RecurrentState LSTMCell::initial_state(std::int64_t batch) const {
  RecurrentState state = RecurrentCell::initial_state(batch);
  state.c = Array::zeros(state.h.shape(), state.h.dtype());
  return state;
}

kernels::Cell LSTMCell::kind() const { return kernels::Cell::lstm; }

}  // namespace attune
