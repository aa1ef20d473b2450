#pragma once

#include "attune/layers/recurrent_cell.h"

namespace attune {

namespace kernels {
enum class Cell;
}

/// Base class of cells whose G gates are functions of W_ih x + b_ih and W_hh h + b_hh.
/// Parameters, with the gates stacked as in PyTorch: weight_ih [G H, D], weight_hh [G H, H],
/// bias_ih [G H], bias_hh [G H], all uniform in +-1 / sqrt(H).
/// Errors: a size below 1.
class GatedCell : public RecurrentCell {
 public:
  const RecurrentWeights& weights() const { return weights_; }
  virtual kernels::Cell kind() const = 0;

 protected:
  GatedCell(std::int64_t input, std::int64_t hidden, std::int64_t gates);
  RecurrentWeights weights_;
};

}  // namespace attune
