#pragma once

#include <functional>
#include <string>
#include <vector>

#include "attune/autograd/tensor.h"

namespace attune {

struct GradcheckOptions {
  double step = 1e-6;  ///< h of the central difference
  double relative_tolerance = 1e-5;
  double absolute_tolerance = 1e-7;
  std::uint64_t seed = 1;  ///< of the random cotangents
};

struct GradcheckResult {
  bool ok = true;
  /// The first mismatch: the input, the index and both values.
  std::string message;
  explicit operator bool() const { return ok; }
};

using GradcheckFunction = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// Compares what backward() computes with central finite differences, for every element of every
/// input: d/dx sum(f(x) * r) ~ (L(x + h) - L(x - h)) / 2h, where r is a random cotangent for each
/// result (a plain sum would hide errors: softmax rows always add up to 1). `inputs` are converted
/// to float64. The function must be deterministic.
GradcheckResult gradcheck(const GradcheckFunction& function, const std::vector<Array>& inputs,
                          const GradcheckOptions& options = {});
/// The same for a function with one result.
GradcheckResult gradcheck(const std::function<Tensor(const std::vector<Tensor>&)>& function,
                          const std::vector<Array>& inputs, const GradcheckOptions& options = {});
/// The same for tensors that the function captures, such as a layer's parameters (float64 leaves,
/// named in the message).
GradcheckResult gradcheck(const std::function<std::vector<Tensor>()>& function,
                          const std::vector<std::pair<std::string, Tensor>>& leaves,
                          const GradcheckOptions& options = {});

}  // namespace attune
