#pragma once

#include "attune/autograd/tensor.h"

/// Element-wise non-linearities; the result has x's shape and dtype. Errors (all functions): x is
/// boolean.
namespace attune {

/// (e^x - e^-x) / (e^x + e^-x)
Tensor tanh(const Tensor& x);
/// 1 / (1 + e^-x)
Tensor sigmoid(const Tensor& x);
/// max(x, 0); the gradient at 0 is 0.
Tensor relu(const Tensor& x);
/// x for x > 0, slope * x otherwise (Maas et al. 2013).
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
/// x for x > 0, e^x - 1 otherwise (Clevert et al. 2015, with alpha = 1).
Tensor elu(const Tensor& x);
/// x Phi(x), with the standard normal distribution function Phi; computed exactly, without the tanh
/// approximation (Hendrycks and Gimpel 2016).
Tensor gelu(const Tensor& x);
/// x sigmoid(x), also called swish (Elfwing et al. 2017).
Tensor silu(const Tensor& x);
/// log(1 + e^x), without overflow.
Tensor softplus(const Tensor& x);

}  // namespace attune
