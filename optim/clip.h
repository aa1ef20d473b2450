#pragma once

#include "attune/optim/parameters.h"

namespace attune {

/// Multiplies all gradients by max_norm / (norm + 1e-6) if that is below 1, so that their joint
/// norm is at most `max_norm` (Pascanu et al. 2013, "On the difficulty of training recurrent neural
/// networks", algorithm 1):
///
///     norm = sqrt(sum over all gradients of g^2)
///
/// Returns the norm before clipping. If it is NaN or infinite, the gradients are not changed, and
/// the caller should not use them. Parameters without a gradient are skipped. The sum is computed
/// in float64 in a fixed order. Errors: max_norm is not positive.
double clip_grad_norm(const Parameters& parameters, double max_norm);

/// Clamps every element of every gradient to [-limit, limit]; NaN stays NaN. Errors: limit is not
/// positive.
void clip_grad_value(const Parameters& parameters, double limit);

}  // namespace attune
