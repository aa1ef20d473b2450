#pragma once

#include "attune/autograd/tensor.h"

/// The inner steps of monotonic attention, for one query per batch row over S source positions.
namespace attune {

/// The expected alignment of one step of monotonic attention (Raffel et al. 2017, eq. 9 and 10, and
/// with q eq. 11 to 14), which moves from the position of the previous step to the right and stops
/// at position s with probability p_s:
///
///     q_s = (1 - p_{s-1}) q_{s-1} + previous_s,   q_{-1} = 0      reaches s
///     a_s = p_s q_s                                               and stops there
///
/// What is left over, 1 - sum_s a_s, is the probability of not stopping at all. The recurrence is
/// computed as it stands; the paper's closed form (appendix C.1) divides by products of 1 - p,
/// which underflow. Shapes: p, previous [B, S] -> [B, S]. Errors: the shapes or dtypes differ.
Tensor monotonic_alignment(const Tensor& p, const Tensor& previous);

/// The expected weights of monotonic chunkwise attention (Chiu and Raffel 2018, eq. 17):
/// softmax of the scores u over the chunk of `width` positions that ends where monotonic attention
/// stops, in expectation over the alignment a:
///
///     w_s = sum_{k = s}^{s + width - 1} a_k exp(u_s) / sum_{l = k - width + 1}^k exp(u_l)
///
/// Computed chunk by chunk, and not with the moving sums of exp(u) of the paper's eq. 19, which may
/// overflow or underflow. A position with the score -infinity has the weight 0. Shapes: alignment,
/// scores [B, S] -> [B, S]. Errors: the shapes or dtypes differ; a width below 1.
Tensor chunkwise_weights(const Tensor& alignment, const Tensor& scores, std::int64_t width);

}  // namespace attune
