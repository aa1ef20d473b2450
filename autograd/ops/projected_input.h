#pragma once

#include "attune/autograd/kernels/recurrent.h"
#include "attune/autograd/ops/recurrent.h"

/// What makes training faster where a part of a cell's input is known for all steps at once. This
/// header is internal: no public header includes it.
namespace attune {

/// W_ih y of the first part y of an input [y ; x], made for all steps in one product.
struct ProjectedInput {
  Tensor gates;              ///< [..., G H]
  std::int64_t columns = 0;  ///< the size of y: W_ih has that many columns for it
};

/// The input of a cell: x, or [y ; x] with a projected y, after which x may be missing.
struct RecurrentInput {
  Tensor x;  ///< [..., D]
  ProjectedInput known = {};
};

/// One step of the cell: x [B, D]. The c of the states is an LSTM's only. Errors: as gru_cell().
LstmState recurrent_cell(kernels::Cell cell, const RecurrentInput& x, const LstmState& state,
                         const RecurrentWeights& weights);
/// All steps: x [T, B, D]. Errors: as gru_sequence().
SequenceResult recurrent_sequence(kernels::Cell cell, const RecurrentInput& x,
                                  const LstmState& state, const RecurrentWeights& weights,
                                  const SequenceOptions& options = {});

/// W e with e = embedding(weight, ids) [..., D] and the first D columns of W [out, D or more]:
/// [..., out]. Where the vocabulary is smaller than the number of ids, W multiplies the vocabulary
/// and the ids select rows of the product: the same sums for less work. Errors: as embedding() and
/// linear().
Tensor embedding_linear(const Tensor& weight, const Indices& ids, const Tensor& w);

}  // namespace attune
