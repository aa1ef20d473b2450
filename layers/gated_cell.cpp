#include "attune/layers/gated_cell.h"

namespace attune {

GatedCell::GatedCell(std::int64_t input, std::int64_t hidden, std::int64_t gates)
    : RecurrentCell(input, hidden) {
  ATTUNE_CHECK(
      hidden <= Shape::kMaxElements / gates,
      "recurrent cell: {} hidden units are too many; all gates together can have fewer than 2^59",
      hidden);
  const Initializer initializer = uniform_by_inputs(hidden);
  weights_.weight_ih = param("weight_ih", {gates * hidden, input}, initializer);
  weights_.weight_hh = param("weight_hh", {gates * hidden, hidden}, initializer);
  weights_.bias_ih = param("bias_ih", {gates * hidden}, initializer);
  weights_.bias_hh = param("bias_hh", {gates * hidden}, initializer);
}

}  // namespace attune
