#pragma once

#include "attune/autograd/array/indices.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// Mean over the targets that count of -log softmax(logits)[target], in one step (softmax and loss
/// together: the gradient is softmax - one-hot). logits [..., C], targets [...] -> scalar. Targets
/// equal to `ignore` count for nothing; when none counts the loss is 0. With `smoothing` e the
/// target is (1 - e) one-hot + e / C (Szegedy et al. 2016, sec. 7). A target of probability 0 (its
/// logit is -infinity) makes the loss infinite, also in a row of nothing but -infinity, which has
/// the gradient 0.
/// Errors: shapes do not fit; a target outside [0, C); smoothing outside [0, 1).
Tensor cross_entropy(const Tensor& logits, const Indices& targets, std::int32_t ignore = kIgnore,
                     double smoothing = 0);
/// Mean of -log_probabilities[target]; shapes, `ignore` and errors as for cross_entropy.
Tensor nll_loss(const Tensor& log_probabilities, const Indices& targets,
                std::int32_t ignore = kIgnore);
/// Mean of (prediction - target)^2. Errors: shapes differ (they are not broadcast).
Tensor mse_loss(const Tensor& prediction, const Tensor& target);
/// Mean of -(t log s(x) + (1 - t) log(1 - s(x))) with s the sigmoid, without overflow;
/// an infinite x costs nothing where t agrees with it.
/// Errors: shapes differ (they are not broadcast).
Tensor binary_cross_entropy_with_logits(const Tensor& logits, const Tensor& target);

}  // namespace attune
