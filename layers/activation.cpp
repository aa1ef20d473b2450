#include "attune/layers/activation.h"

#include "attune/autograd/array/lookup.h"
#include "attune/autograd/ops/activations.h"

namespace attune {
namespace {

const NameTable<Activation>& table() {
  static const NameTable<Activation> activations = {
      {"relu", relu},         {"leaky_relu", [](const Tensor& x) { return leaky_relu(x); }},
      {"tanh", tanh},         {"sigmoid", sigmoid},
      {"gelu", gelu},         {"silu", silu},
      {"softplus", softplus}, {"identity", [](const Tensor& x) { return x; }},
  };
  return activations;
}

}  // namespace

Activation find_activation(std::string_view name) { return look_up(table(), name, "activation"); }

std::vector<std::string> activation_names() { return names_of(table()); }

}  // namespace attune
