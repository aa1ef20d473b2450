#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Mean of -log softmax(logits)[target] over the targets that are not `ignore`; 0 if there are
/// none. logits [..., C], targets [...] -> scalar. Softmax and loss are one operation, whose
/// gradient is (softmax(logits) - one_hot(target)) / number of targets. With `smoothing` e the
/// target is (1 - e) one_hot + e / C (Szegedy et al. 2016, sec. 7). A target whose logit is
/// -infinity makes the loss infinite; a row of only -infinity does as well, and gets gradient 0.
/// Errors: shapes do not fit; a target outside [0, C); smoothing outside [0, 1).
Tensor cross_entropy(const Tensor& logits, const Indices& targets, std::int32_t ignore = kIgnore,
                     double smoothing = 0);
/// Mean of -log_probabilities[target]; shapes, `ignore` and errors as for cross_entropy().
Tensor nll_loss(const Tensor& log_probabilities, const Indices& targets,
                std::int32_t ignore = kIgnore);
/// Mean of (prediction - target)^2, a scalar. Errors: shapes (which are not broadcast) or dtypes
/// differ; no elements.
Tensor mse_loss(const Tensor& prediction, const Tensor& target);
/// Mean of -(t log s(x) + (1 - t) log(1 - s(x))) with s the sigmoid, without overflow; a scalar. An
/// infinite x adds nothing to the loss where it agrees with t.
/// Errors: shapes (which are not broadcast) or dtypes differ; no elements.
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target);

}  // namespace attune
