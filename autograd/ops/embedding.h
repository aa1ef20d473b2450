#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Row ids[i...] of `weight` [V, D] for each id: [..., D]. The gradient of a row is the sum over
/// its uses, added in the order of the positions. Errors: an id outside [0, V), named with its
/// position.
Tensor embedding(const Tensor& weight, const Indices& ids);

/// W e with e = embedding(weight, ids) [..., D], and the columns of W [out, width] from
/// `first_column` on: [..., out]. A vocabulary smaller than the number of ids is multiplied instead
/// of the ids' rows, which are then looked up in the product: the same sums for less work. Errors:
/// as embedding() and linear().
Tensor embedding_linear(const Tensor& weight, const Indices& ids, const Tensor& w,
                        std::int64_t first_column = 0);

}  // namespace attune
