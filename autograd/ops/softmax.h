#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// y_i = exp(x_i) / sum_j exp(x_j) along an axis, without overflow. With `lengths` [B], axis 0 of x
/// is the batch (B rows) and in row b only the first lengths[b] positions of the axis take part:
/// the others get 0. A row of length 0, or of nothing but -infinity, is all zeros, never NaN; one
/// with +infinity or NaN is NaN, but 0 where x is -infinity. Under a Mask: softmax() in mask.h.
/// Errors: no such axis; lengths are not one for each row, or outside [0, axis size].
Tensor softmax(const Tensor& x, int axis = -1, const Indices& lengths = {});
/// log softmax(x) to full precision, however large x is. Where softmax gives 0 because of a length
/// or in a row of nothing but -infinity it is -infinity, with the gradient 0.
Tensor log_softmax(const Tensor& x, int axis = -1, const Indices& lengths = {});

}  // namespace attune
