#pragma once

#include <string>

#include "attune/autograd/array/named_arrays.h"
#include "attune/layers/layer.h"

namespace attune {

/// Renames parameters of `layer` that an earlier version saved to their current names.
NamedArrays with_current_names(const Layer& layer, NamedArrays arrays);

/// Writes the parameters of `layer` to a safetensors file, which is replaced completely or not at
/// all. Errors: it cannot be written.
void save_parameters(const std::string& path, const Layer& layer);

/// Loads the parameters of `layer` from such a file, also from one of an earlier version. Errors
/// (nothing is changed; the message gives the path): the file cannot be read or is damaged; a
/// missing or unknown name; a different shape.
void load_parameters(const std::string& path, Layer& layer);

}  // namespace attune
