#pragma once

#include "attune/layers/gated_cell.h"

namespace attune {

/// r = sigmoid(W_ir x + b_ir + W_hr h + b_hr)         the reset gate
/// z = sigmoid(W_iz x + b_iz + W_hz h + b_hz)         how much of h to keep
/// n = tanh(W_in x + b_in + r * (W_hn h + b_hn))      what is new
/// h' = (1 - z) * n + z * h
/// (Cho et al. 2014, with the reset gate after the product, as in cuDNN and PyTorch).
class GRUCell : public GatedCell {
 public:
  GRUCell(std::int64_t input, std::int64_t hidden) : GatedCell(input, hidden, 3) {}
  RecurrentState operator()(const Tensor& x, const RecurrentState& state) const override;
  SequenceResult run(const Tensor& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;
  kernels::Cell kind() const override;
};

}  // namespace attune
