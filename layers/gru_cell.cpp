#include "attune/layers/gru_cell.h"

namespace attune {

RecurrentState GRUCell::operator()(const RecurrentInput& x, const RecurrentState& state) const {
  return {gru_cell(x, state.h, weights_), {}};
}

SequenceResult GRUCell::run(const RecurrentInput& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  return gru_sequence(x, state.h, weights_, options);
}

}  // namespace attune
