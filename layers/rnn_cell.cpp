#include "attune/layers/rnn_cell.h"

namespace attune {

RecurrentState RNNCell::operator()(const RecurrentInput& x, const RecurrentState& state) const {
  return {rnn_cell(x, state.h, weights_, activation_), {}};
}

SequenceResult RNNCell::run(const RecurrentInput& x, const RecurrentState& state,
                            const SequenceOptions& options) const {
  return rnn_sequence(x, state.h, weights_, options, activation_);
}

}  // namespace attune
