#pragma once

#include "attune/attune.h"

namespace extension {

using namespace attune;

/// A GRU with one gate (Zhou et al. 2016):
///
///     f = sigmoid(W_f [h ; x] + b_f)          what to read and what to replace of h
///     n = tanh(W_n [f * h ; x] + b_n)         what is new
///     h' = (1 - f) * h + f * n
///
/// Parameters: gate.weight, gate.bias, candidate.weight and candidate.bias.
class MinimalGatedCell : public RecurrentCell {
 public:
  MinimalGatedCell(std::int64_t input, std::int64_t hidden)
      : RecurrentCell(input, hidden),
        gate_(child("gate", Linear(hidden + input, hidden))),
        candidate_(child("candidate", Linear(hidden + input, hidden))) {}

  /// x [B, D], h [B, H] -> h' [B, H]
  RecurrentState operator()(const Tensor& x, const RecurrentState& state) const override {
    const Tensor f = sigmoid(gate_(concat({state.h, x}, -1)));
    const Tensor n = tanh(candidate_(concat({f * state.h, x}, -1)));
    return {.h = (1 - f) * state.h + f * n, .c = {}};
  }

 private:
  Linear gate_, candidate_;
};

inline std::shared_ptr<RecurrentCell> make_mgu(std::int64_t input, std::int64_t hidden) {
  return std::make_shared<MinimalGatedCell>(input, hidden);
}

}  // namespace extension
