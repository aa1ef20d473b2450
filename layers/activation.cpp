#include "attune/layers/activation.h"

#include "attune/autograd/ops/activations.h"

namespace attune {

Family<Activation>& activations() {
  static Family<Activation> family(
      "activation", {
                        {"relu", "max(x, 0)", "Nair and Hinton 2010", relu},
                        {"leaky_relu", "x for x > 0, 0.01 x elsewhere", "Maas et al. 2013",
                         [](const Tensor& x) { return leaky_relu(x); }},
                        {"elu", "x for x > 0, e^x - 1 elsewhere", "Clevert et al. 2015", elu},
                        {"tanh", "(e^x - e^-x) / (e^x + e^-x)", "", tanh},
                        {"sigmoid", "1 / (1 + e^-x)", "", sigmoid},
                        {"gelu", "x Phi(x), Phi the normal distribution function",
                         "Hendrycks and Gimpel 2016", gelu},
                        {"silu", "x / (1 + e^-x), also called swish", "Elfwing et al. 2017", silu},
                        {"softplus", "log(1 + e^x)", "Dugas et al. 2001", softplus},
                        {"identity", "x", "", [](const Tensor& x) { return x; }},
                    });
  return family;
}

Family<Activation>& gated_units() {
  static Family<Activation> family(
      "gated unit",
      {
          {"glu", "sigmoid(W x + b) (V x + c)", "Dauphin et al. 2017, eq. 1", sigmoid},
          {"bilinear", "(W x + b) (V x + c)", "Mnih and Hinton 2007",
           [](const Tensor& x) { return x; }},
          {"reglu", "relu(W x + b) (V x + c)", "Shazeer 2020, eq. 5", relu},
          {"geglu", "gelu(W x + b) (V x + c)", "Shazeer 2020, eq. 5", gelu},
          {"swiglu", "silu(W x + b) (V x + c)", "Shazeer 2020, eq. 5", silu},
      });
  return family;
}

Activation make_activation(std::string_view name) { return activations().at(name).make; }

std::vector<std::string> activation_names() { return activations().names(); }

}  // namespace attune
