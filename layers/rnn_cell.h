#pragma once

#include "attune/layers/gated_cell.h"

namespace attune {

/// h' = f(W_ih x + b_ih + W_hh h + b_hh) with f = tanh or relu (Elman 1990).
class RNNCell : public GatedCell {
 public:
  RNNCell(std::int64_t input, std::int64_t hidden, RnnActivation activation = RnnActivation::tanh)
      : GatedCell(input, hidden, 1), activation_(activation) {}
  RecurrentState operator()(const Tensor& x, const RecurrentState& state) const override;
  SequenceResult run(const Tensor& x, const RecurrentState& state,
                     const SequenceOptions& options = {}) const override;
  kernels::Cell kind() const override;

 private:
  RnnActivation activation_;
};

}  // namespace attune
