#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// An element-wise non-linearity with its defaults.
using Activation = Tensor (*)(const Tensor&);

/// The activation of that name: "relu", "leaky_relu", "tanh", "sigmoid", "gelu", "silu",
/// "softplus", or "identity". Errors: an unknown name; the message lists the known ones.
Activation find_activation(std::string_view name);
/// The names that find_activation() knows.
std::vector<std::string> activation_names();

}  // namespace attune
