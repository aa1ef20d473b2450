#pragma once

#include "attune/autograd/tensor.h"

/// Sparse relatives of softmax over the last axis: they give exactly 0 to all but the largest
/// scores. An element of -infinity gets 0 and no gradient, and a row of only -infinity gives zeros.
namespace attune {

/// alpha-entmax (Peters et al. 2019, eq. 10 and 13), for alpha > 1:
///
///     p_i = max(0, (alpha - 1) x_i - tau)^(1 / (alpha - 1)),   tau such that sum_i p_i = 1
///
/// It tends to softmax as alpha goes to 1; alpha = 2 is sparsemax. tau is found by sorting for
/// alpha = 1.5 and 2 (Peters et al. 2019, algorithm 2; Martins and Astudillo 2016, sec. 2.2),
/// otherwise by bisection (Peters et al. 2019, algorithm 1). The gradient (there, proposition 1),
/// with s_i = p_i^(2 - alpha) where p_i > 0 and 0 elsewhere, is dx_i = s_i (dy_i - sum_j s_j dy_j /
/// sum_j s_j).
/// Shapes: x [..., N] -> [..., N]. Errors: an alpha that is not above 1.
Tensor entmax(const Tensor& x, double alpha = 1.5);
/// The same with a learned alpha that is broadcast to [..., 1], one for each row (Correia et al.
/// 2019, also for its gradient). Errors: also an alpha of another shape or dtype.
Tensor entmax(const Tensor& x, const Tensor& alpha);

/// sparsemax (Martins and Astudillo 2016, sec. 2.1): the Euclidean projection of a row onto the
/// probability simplex, which is entmax with alpha = 2.
Tensor sparsemax(const Tensor& x);

}  // namespace attune
