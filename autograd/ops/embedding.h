#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// y[i...] = weight[ids[i...]]: weight [V, D], ids [...] -> [..., D]. The gradient of a row is the
/// sum over its occurrences, in an order that depends on the ids only.
/// Errors: weight is not [V, D]; ids are undefined; an id is outside [0, V).
Tensor embedding(const Tensor& weight, const Indices& ids);

}  // namespace attune
