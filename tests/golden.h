#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "attune/autograd/array/indices.h"
#include "attune/autograd/array/named_arrays.h"
#include "attune/autograd/tensor.h"

/// One case of tests/golden/*.json: PyTorch's float64 values for a layer or a loss. See
/// tests/golden/make_golden.py.
struct Golden {
  std::map<std::string, attune::Array> parameters, inputs, outputs, cotangents, gradients;
  std::map<std::string, attune::Indices> indices;

  /// The parameters as the argument of Layer::load().
  attune::NamedArrays named_parameters() const { return {parameters.begin(), parameters.end()}; }
};

/// The case called `name` in tests/golden/<file>.json. Errors: no such file or case.
Golden read_golden(const std::string& file, const std::string& name);

/// "" if the arrays have one shape and every |a - b| <= tolerance * max(1, |b|); otherwise a
/// message about the first difference.
std::string difference(const attune::Array& a, const attune::Array& b, double tolerance = 1e-9);

using NamedTensors = std::vector<std::pair<std::string, attune::Tensor>>;

/// Compares `outputs` with those of the case, runs backward with its cotangents, and compares the
/// gradients of `leaves`, which must be exactly those that the case has. "" if everything agrees;
/// otherwise a line for each output that differs, or for each gradient.
std::string difference(const Golden& golden, const NamedTensors& outputs,
                       const NamedTensors& leaves);
