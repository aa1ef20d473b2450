#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/autograd/tensor.h"

namespace attune {

/// An element-wise activation function, x [...] -> [...]. Parameters, such as the slope of
/// leaky_relu, have their defaults.
using Activation = std::function<Tensor(const Tensor&)>;

/// The activations that can be chosen by name; a member's `make` is the function itself.
Family<Activation>& activations();
/// Returns the activation called `name`. Errors: an unknown name (the message lists the valid
/// ones).
Activation make_activation(std::string_view name);
/// The names that make_activation() accepts.
std::vector<std::string> activation_names();

/// The gated units that FeedForward accepts in place of an activation (Shazeer 2020, sec. 2):
/// h = f(W x + b) * (V x + c), element by element; a member's `make` is f.
Family<Activation>& gated_units();

}  // namespace attune
