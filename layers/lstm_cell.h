#pragma once

#include "attune/layers/gated_cell.h"

namespace attune {

/// i, f, o = sigmoid(W_i. x + b_i. + W_h. h + b_h.)   input, forget and output gate
/// g = tanh(W_ig x + b_ig + W_hg h + b_hg)            what is new
/// c' = f * c + i * g
/// h' = o * tanh(c')
/// (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).
class LSTMCell : public GatedCell {
 public:
  LSTMCell(std::int64_t input, std::int64_t hidden) : GatedCell(input, hidden, 4) {}
  RecurrentState operator()(const Tensor& x, const RecurrentState& state) const override;
  SequenceResult run(const Tensor& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;
  kernels::Cell kind() const override;
  RecurrentState initial_state(std::int64_t batch) const override;
};

}  // namespace attune
