#pragma once

#include "attune/autograd/ops/projected_input.h"
#include "attune/layers/embedding.h"
#include "attune/layers/recurrent_cell.h"

namespace attune {

class GatedCell;

/// The first part y of a cell's input [y ; x], where y is known for all steps at once: the tokens
/// of a source, or those that a decoder is given in training. For a GatedCell, y is multiplied by
/// the cell's weight once for all steps; for other cells, y is concatenated with x at each step.
///
/// This header is internal: it makes models faster and is not part of the public interface.
class KnownInput {
 public:
  /// y [..., D'].
  KnownInput(const RecurrentCell& cell, const Tensor& y);
  /// y = embedding(ids) for ids [...]; see embedding_linear().
  KnownInput(const RecurrentCell& cell, const Embedding& embedding, const Indices& ids);

  /// The known input of one step.
  KnownInput operator[](std::int64_t step) const;
  /// The known input with 0 beyond the lengths, and no gradient there.
  KnownInput masked(const Indices& lengths) const;

  /// cell([y ; x], state) for y [B, D'] and x [B, D - D']; x is not defined if D' = D.
  RecurrentState step(const Tensor& x, const RecurrentState& state) const;
  /// cell.run(y, state, options) for y [T, B, D].
  SequenceResult run(const RecurrentState& state, const SequenceOptions& options) const;

 private:
  const RecurrentCell* cell_;
  const GatedCell* gated_;    // cell_ if it is a GatedCell, else null
  Tensor part_;               // y, or its product with a GatedCell's weight
  std::int64_t columns_ = 0;  // D', of a GatedCell
};

}  // namespace attune
