#pragma once

#include "attune/layers/recurrent_cell.h"

namespace attune {

namespace kernels {
enum class Cell;
}

/// A cell whose gates are linear in input and state. Parameters, with G gates stacked as in PyTorch:
/// weight_ih [G H, D], weight_hh [G H, H], bias_ih [G H], bias_hh [G H], all uniform in
/// +-1 / sqrt(H).
class GatedCell : public RecurrentCell {
 public:
  const RecurrentWeights& weights() const { return weights_; }
  virtual kernels::Cell kind() const = 0;

 protected:
  GatedCell(std::int64_t input, std::int64_t hidden, std::int64_t gates);
  RecurrentWeights weights_;
};

}  // namespace attune
