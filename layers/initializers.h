#pragma once

#include <functional>

#include "attune/autograd/array/array.h"

namespace attune {

/// Fills a new parameter. The random ones draw from generator(). For the fans, a weight is
/// [out, in] as in Linear: fan_in = in, fan_out = out.
using Initializer = std::function<void(Array&)>;

Initializer zeros();
Initializer ones();
Initializer constant(double value);
Initializer uniform(double low, double high);
Initializer normal(double mean = 0, double deviation = 1);
/// Uniform in +-gain sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio 2010, eq. 16).
Initializer xavier_uniform(double gain = 1);
/// Normal with deviation gain sqrt(2 / (fan_in + fan_out)).
Initializer xavier_normal(double gain = 1);
/// Uniform in +-gain sqrt(3 / fan_in), gain sqrt(2) for ReLU (He et al. 2015, eq. 10).
Initializer kaiming_uniform(double gain = 1.4142135623730951);
/// Normal with deviation gain / sqrt(fan_in).
Initializer kaiming_normal(double gain = 1.4142135623730951);
/// Rows (or columns, where there are fewer) are orthonormal times `gain` (Saxe et al. 2014).
/// Errors: not of rank 2.
Initializer orthogonal(double gain = 1);

}  // namespace attune
