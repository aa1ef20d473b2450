#pragma once

#include "attune/autograd/kernels/recurrent.h"
#include "attune/autograd/ops/recurrent.h"

/// Recurrent cells whose input is known for all steps in advance, or a part of it: its product with
/// W_ih is then computed for all steps at once, which is faster. This header is internal: no public
/// header includes it.
namespace attune {

/// For an input [y ; x] whose part y is known in advance: the product of the first columns of W_ih
/// with y.
struct ProjectedInput {
  Tensor gates;              ///< [..., G H]
  std::int64_t columns = 0;  ///< the size of y, which is the number of these columns
};

/// The input of a cell: x alone, [y ; x] with a projected y, or a projected y alone (then x is not
/// defined).
struct RecurrentInput {
  Tensor x;  ///< [..., D]
  ProjectedInput known = {};
};

/// One step of the cell, with x.x [B, D]. Only an LSTM uses `c` of the states. Errors: as
/// gru_cell().
LstmState recurrent_cell(kernels::Cell cell, const RecurrentInput& x, const LstmState& state,
                         const RecurrentWeights& weights);
/// All steps, with x.x [T, B, D]. Errors: as gru_sequence().
SequenceResult recurrent_sequence(kernels::Cell cell, const RecurrentInput& x,
                                  const LstmState& state, const RecurrentWeights& weights,
                                  const SequenceOptions& options = {});

/// linear(embedding(weight, ids), W) without bias, where W is the first D columns of `w`. Shapes:
/// weight [V, D], ids [...], w [out, D or more] -> [..., out]. If there are more ids than V, the
/// product is computed once for every row of `weight`, and the ids select rows of the result: the
/// same sums for less work. Errors: as embedding() and linear().
Tensor embedding_linear(const Tensor& weight, const Indices& ids, const Tensor& w);

}  // namespace attune
