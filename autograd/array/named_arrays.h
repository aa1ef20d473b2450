#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// What an optimizer or a schedule must remember to go on exactly where it stopped: arrays by name,
/// as a checkpoint stores them.
using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// A single number among them, such as a count of steps: float64, so that whole numbers are exact.
inline Array number_array(double value) { return Array::full({}, value, DType::f64); }

}  // namespace attune
