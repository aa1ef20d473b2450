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

  /// The parameters in the form that Layer::load() takes.
  attune::NamedArrays named_parameters() const { return {parameters.begin(), parameters.end()}; }
};

/// The case of that name in tests/golden/<file>.json. Errors: there is none.
Golden read_golden(const std::string& file, const std::string& name);

/// "" if the arrays have one shape and every |a - b| <= tolerance * max(1, |b|); otherwise a
/// message about the first difference.
std::string difference(const attune::Array& a, const attune::Array& b, double tolerance = 1e-9);

using NamedTensors = std::vector<std::pair<std::string, attune::Tensor>>;

/// Compares outputs with a case's, runs backward from its cotangents, and compares the gradients of
/// `leaves`, which must be all those in the case. "" if everything agrees; otherwise a message that
/// names what differs.
std::string difference(const Golden& golden, const NamedTensors& outputs,
                       const NamedTensors& leaves);
