#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

/// Names of leaves of a graph.
using LeafNames = std::unordered_map<const Node*, std::string>;

/// The graph that output.backward() traverses, in the language of Graphviz: a node with name and
/// shape for each operation and leaf, an edge from each input to what uses it, and a box around the
/// operations of each layer, within that of the layer whose child it is.
///
///     write_file_atomically("loss.dot", to_dot(model.loss(batch), model.parameters()));
///     // dot -Tsvg loss.dot > loss.svg
///
/// Operations without gradient, such as those on constants, are not part of it. Errors: `output` is
/// not defined or has no history; the graph was freed by backward().
std::string to_dot(const Tensor& output, const LeafNames& names = {});

/// The same with the names of parameters, a list of structs with a `name` and a `value`, such as
/// Layer::parameters(); as torchviz.make_dot().
template <typename Named>
requires requires(const Named& named) {
  std::string(named.name);
  Tensor(named.value);
}
std::string to_dot(const Tensor& output, const std::vector<Named>& parameters) {
  LeafNames names;
  for (const Named& named : parameters) names.emplace(named.value.node().get(), named.name);
  return to_dot(output, names);
}

}  // namespace attune
