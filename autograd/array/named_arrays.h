#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "attune/autograd/array/array.h"

namespace attune {

/// Named arrays in order: the values of a layer, the state that an optimizer or a schedule needs to
/// resume exactly, or the contents of a safetensors file.
using NamedArrays = std::vector<std::pair<std::string, Array>>;

/// A single number as an entry, such as a step count; float64, which holds integers exactly.
inline Array number_array(double value) { return Array::full({}, value, DType::f64); }

/// The number called `name` in a state. Errors: there is none, or it is not a single number.
double number_in(const NamedArrays& state, std::string_view name);
/// The same for an integer from 0 to 2^53. Errors: also if it is not one.
std::int64_t count_in(const NamedArrays& state, std::string_view name);

}  // namespace attune
