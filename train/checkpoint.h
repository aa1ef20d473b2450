#pragma once

#include <string>

#include "attune/autograd/array/named_arrays.h"
#include "attune/layers/layer.h"

namespace attune {

/// Parameters of `layer` as an earlier version may have named them, by their names of today.
NamedArrays with_current_names(const Layer& layer, NamedArrays arrays);

/// Writes the parameters of `layer` under their names to a safetensors file, which is replaced as a
/// whole or not at all. Errors: the system's.
void save_parameters(const std::string& path, const Layer& layer);

/// Sets the parameters of `layer` from such a file, which may come from an earlier version. Errors,
/// before anything is changed: the file cannot be read or is damaged, a name is missing or unknown,
/// a shape differs; the path is named.
void load_parameters(const std::string& path, Layer& layer);

}  // namespace attune
