#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// The state that attention passes from one step of the output to the next. `AttentionState{}` is
/// the state before the first step.
///
/// With H heads, each row of the batch has H consecutive rows here, one per head: R = B H.
struct AttentionState {
  Tensor weights;   ///< [R, S]: the weights of the previous step
  Tensor coverage;  ///< [R, S]: the sum of all weights so far (See et al. 2017, eq. 10); computed
                    ///< only if the score or the normaliser uses it
  Tensor position;  ///< [R, ...]: for scores and normalisers that move along the source; defined by
                    ///< them
  std::int64_t heads = 1;  ///< H
  std::int64_t steps = 0;  ///< the number of steps so far

  /// The state of the given rows of the batch, in this order. Rows may repeat, as in a beam search.
  /// Errors: a row out of range.
  AttentionState select(const Indices& rows) const;
};

}  // namespace attune
