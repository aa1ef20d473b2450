#include "attune/layers/gru_cell.h"

#include "attune/autograd/ops/projected_input.h"

namespace attune {

RecurrentState GRUCell::operator()(const Tensor& x, const RecurrentState& state) const {
  const LayerScope scope(*this);
  return {gru_cell(x, state.h, weights_), {}};
}

SequenceResult GRUCell::run(const Tensor& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  const LayerScope scope(*this);
  return gru_sequence(x, state.h, weights_, options);
}

kernels::Cell GRUCell::kind() const { return kernels::Cell::gru; }

}  // namespace attune
