#pragma once

#include "attune/autograd/ops/linear_attention.h"

namespace attune {

/// The selective state space of Mamba (Gu and Dao 2023, algorithm 2). Channel e of the input has a
/// state of N numbers, each with its own rate a, and a step size delta that depends on the
/// position:
///
///     h_{t, n, e} = exp(delta_{t, e} a_{n, e}) h_{t-1, n, e} + delta_{t, e} b_{t, n} x_{t, e}
///     y_{t, e}    = sum_n c_{t, n} h_{t, n, e}
///
/// The rate is discretised by a zero-order hold, b by Euler's rule, as the authors' program does;
/// the paper's eq. 4 has a zero-order hold of b, which is the same up to the order of delta^2.
/// Steps are computed one after another; in backward, states are computed again from one of every
/// 16 steps.
///
/// Shapes: x, delta [T, B, E], a [N, E], b, c [T, B, N], state [B, N, E] (not defined: 0) ->
/// output [T, B, E], state [B, N, E]. A position has no influence on those before it, but all
/// values must be finite. Errors: shapes or dtypes that do not match.
StateResult selective_scan(const Tensor& x, const Tensor& delta, const Tensor& a, const Tensor& b,
                           const Tensor& c, const Tensor& state = {});

}  // namespace attune
