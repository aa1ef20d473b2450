#pragma once

#include <algorithm>

#include "attune/layers/layer.h"
#include "golden.h"

/// The inputs of a case as parameters, by name.
struct GoldenInputs {
  explicit GoldenInputs(const Golden& golden) {
    for (const auto& [name, value] : golden.inputs)
      leaves.emplace_back(name, attune::Tensor::parameter(value));
  }
  const attune::Tensor& operator[](const std::string& name) const {
    for (const auto& leaf : leaves)
      if (leaf.first == name) return leaf.second;
    attune::fail("golden: no input '{}'", name);
  }
  bool has(const std::string& name) const {
    return std::any_of(leaves.begin(), leaves.end(),
                       [&](const auto& leaf) { return leaf.first == name; });
  }
  NamedTensors leaves;
};

/// Loads a case's parameters into the layer, runs it, and compares outputs and gradients.
/// run(layer, inputs, golden) returns the outputs by name.
template <typename L, typename Run>
std::string compare(const Golden& golden, L layer, const Run& run) {
  const GoldenInputs inputs(golden);
  layer.load(golden.named_parameters());
  const NamedTensors outputs = run(layer, inputs, golden);
  NamedTensors leaves = inputs.leaves;
  for (const attune::Param& param : layer.parameters())
    leaves.emplace_back(param.name, param.value);
  return difference(golden, outputs, leaves);
}
