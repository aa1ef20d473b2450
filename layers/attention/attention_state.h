#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// What attention carries from one step of the output to the next. A state that holds nothing, as
/// `AttentionState{}`, is the one before the first step.
///
/// With H heads each row of the batch has H rows here, head after head: R = B H.
struct AttentionState {
  Tensor weights;   ///< [R, S]: the weights of the step before
  Tensor coverage;  ///< [R, S]: the sum of all weights so far (See et al. 2017, eq. 10); kept
                    ///< where the score or the normaliser reads it
  Tensor position;  ///< [R, ...]: where a mechanism that moves along the source stands; its own
  std::int64_t heads = 1;  ///< H
  std::int64_t steps = 0;  ///< taken so far

  /// The state of these rows of the batch, in this order; a row may come several times, as in a
  /// search. Errors: a row outside of the batch.
  AttentionState select(const Indices& rows) const;
};

}  // namespace attune
