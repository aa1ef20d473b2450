#pragma once

#include <functional>

#include "attune/autograd/array/array.h"

namespace attune {

/// A function that fills a new parameter. Random initializers draw from generator(). Those that
/// depend on fan_in or fan_out expect a weight [out, in], as in Linear: fan_in = in, fan_out = out.
/// Errors: these are given a weight that is not of rank 2.
using Initializer = std::function<void(Array&)>;

Initializer zeros();
Initializer ones();
Initializer constant(double value);
Initializer uniform(double low, double high);
/// Uniform in +-1 / sqrt(inputs): PyTorch's default, biases included, for linear layers, with the
/// number of their inputs, and for recurrent cells, with their hidden size.
Initializer uniform_by_inputs(std::int64_t inputs);
Initializer normal(double mean = 0, double deviation = 1);
/// Numbers x of which log softplus(x) is uniform in [log low, log high), for steps and decays whose
/// scale is to vary (Gu and Dao 2023, sec. 3.6). Errors: not 0 < low < high.
Initializer softplus_log_uniform(double low, double high);
/// Uniform in [-a, a), a = gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16).
Initializer xavier_uniform(double gain = 1);
/// Normal with mean 0 and standard deviation gain sqrt(2 / (fan_in + fan_out)).
Initializer xavier_normal(double gain = 1);
/// Uniform in [-a, a), a = gain sqrt(3 / fan_in) (He et al. 2015, eq. 10); sqrt(2) is for ReLU.
Initializer kaiming_uniform(double gain = 1.4142135623730951);
/// Normal with mean 0 and standard deviation gain / sqrt(fan_in).
Initializer kaiming_normal(double gain = 1.4142135623730951);
/// `gain` times a random matrix with orthonormal rows, or orthonormal columns if it has fewer
/// columns than rows (Saxe et al. 2014). Errors: not of rank 2.
Initializer orthogonal(double gain = 1);

}  // namespace attune
