#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/tensor.h"

/// One case of tests/golden/*.json: what PyTorch gave for a layer or a loss, in float64. See
/// tests/golden/make_golden.py.
struct Golden {
  std::map<std::string, attune::Array> parameters, inputs, outputs, cotangents, gradients;
  std::map<std::string, attune::Indices> indices;

  /// The parameters in the form that Layer::load() takes.
  attune::NamedArrays named_parameters() const { return {parameters.begin(), parameters.end()}; }
};

/// The case of that name in tests/golden/<file>.json. Errors: there is none.
Golden read_golden(const std::string& file, const std::string& name);

/// "" when the arrays have one shape and every |a - b| <= tolerance * max(1, |b|); otherwise what
/// differs first.
std::string difference(const attune::Array& a, const attune::Array& b, double tolerance = 1e-9);

using NamedTensors = std::vector<std::pair<std::string, attune::Tensor>>;

/// Compares outputs with a case's, differentiates them from its cotangents, and compares the
/// gradients of `leaves`, which must be all that the case has gradients for. "" when all agree;
/// otherwise what differs, by name.
std::string difference(const Golden& golden, const NamedTensors& outputs,
                       const NamedTensors& leaves);
