#pragma once

#include "attune/optim/parameters.h"

namespace attune {

/// Scales all gradients by max_norm / (norm + 1e-6) where that is below 1, so that their joint norm
/// is at most `max_norm` (Pascanu et al. 2013, "On the difficulty of training recurrent neural
/// networks", algorithm 1):
///
///     norm = sqrt(sum over all gradients of g^2)
///
/// Returns the norm before clipping. If that is NaN or infinite, the gradients are left as they
/// are: the caller should stop. Parameters without gradient are skipped. The sum is made in float64
/// and in a fixed order. Errors: max_norm is not positive.
double clip_grad_norm(const Parameters& parameters, double max_norm);

/// Moves every element of every gradient into [-limit, limit]; NaN stays. Errors: limit is not
/// positive.
void clip_grad_value(const Parameters& parameters, double limit);

}  // namespace attune
