#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// Arrays by name, in order: a layer's values, what an optimizer or a schedule must remember to go
/// on exactly where it stopped, what a safetensors file holds.
using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// A single number among them, such as a count of steps: float64, so that whole numbers are exact.
inline Array number_array(double value) { return Array::full({}, value, DType::f64); }

}  // namespace attune
