#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Row ids[i...] of `weight` [V, D] for each id: [..., D]. The gradient of a row is the sum over
/// its uses, added in the order of the positions. Errors: an id outside [0, V), named with its
/// position.
Tensor embedding(const Tensor& weight, const Indices& ids);

}  // namespace attune
