#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// The loss whose gradient is the REINFORCE estimate for decisions taken at random, such as the
/// positions of hard attention (Williams 1992; Xu et al. 2015, sec. 4.1):
///
///     R_{t,b} = sum over t' >= t of r_{t',b}                  the reward from step t on
///     loss    = -sum_{t,b} (R_{t,b} - c_{t,b}) log p_{t,b}    within the lengths
///
/// The baseline c_{t,b} is the mean reward of a step in the other rows of the batch, times the
/// number of steps from t on. It does not depend on row b's own decisions and therefore leaves the
/// expected gradient unchanged. (The paper's is a moving average over batches.) The value of the
/// loss is 0: only its gradient, with respect to log_probability, has a meaning.
/// Shapes: log_probability [T, B], of the decisions of each step; rewards [T, B], constants;
/// lengths [B], not defined: all have T -> a scalar. Errors: the shapes do not match.
Tensor policy_loss(const Tensor& log_probability, const Array& rewards, const Indices& lengths);

}  // namespace attune
