#pragma once

#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// Named arrays in order: the values of a layer, the state that an optimizer or a schedule needs to
/// resume exactly, or the contents of a safetensors file.
using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// A single number as an entry, such as a step count; float64, which holds integers exactly.
inline Array number_array(double value) { return Array::full({}, value, DType::f64); }

}  // namespace attune
