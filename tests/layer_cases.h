#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "attune/layers/all.h"
#include "op_cases.h"

/// One row for each layer. layer_cases_test.cpp tests each row: gradients of inputs and parameters
/// against finite differences, PyTorch's values, the same bits for any number of threads, saving
/// and loading, garbage beyond lengths, freezing, error texts.

/// A layer, and a function that calls it with inputs and with the indices that LayerCase::indices
/// describes (not defined if it is empty), and returns the outputs.
struct MadeLayer {
  std::shared_ptr<attune::Layer> layer;
  std::function<Operands(const Operands&, const attune::Indices&)> run;
};

struct LayerInput {
  std::string name;     ///< as in tests/golden
  attune::Shape small;  ///< with odd sizes
  attune::Shape large;  ///< large enough to be split among threads
};

enum class Size { small, large };

struct LayerCase {
  std::string name;
  std::vector<LayerInput> inputs;
  std::vector<std::string> outputs;  ///< their names in tests/golden
  std::function<MadeLayer(Size)> make;
  /// "lengths" if the layer takes lengths of its first input [T, B, ...], or "ids" if it takes ids,
  /// which are generated below `vocabulary`; empty otherwise.
  std::string indices = {};
  std::int64_t vocabulary = 0;
  /// PyTorch's values for the small layer: files and cases in tests/golden.
  std::vector<std::pair<std::string, std::string>> golden = {};
  std::vector<BadCall> bad_calls = {};

  bool takes_lengths() const { return indices == "lengths"; }
};

/// Every row of every family.
const std::vector<LayerCase>& layer_cases();

std::vector<LayerCase> plain_layer_cases();
std::vector<LayerCase> recurrent_layer_cases();
std::vector<LayerCase> attention_layer_cases();

/// Makes a MadeLayer from a layer and a function run(layer, inputs, indices) that calls it.
template <typename L, typename Run>
MadeLayer made(L layer, Run run) {
  const auto shared = std::make_shared<L>(std::move(layer));
  return {shared, [shared, run](const Operands& x, const attune::Indices& indices) -> Operands {
            return run(*shared, x, indices);
          }};
}
/// The same for a layer that maps one tensor to one.
template <typename L>
MadeLayer made(L layer) {
  return made(std::move(layer), [](const L& l, const Operands& x, const attune::Indices&) {
    return Operands{l(x[0])};
  });
}
