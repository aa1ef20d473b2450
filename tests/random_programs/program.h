#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "attune/autograd/all.h"

/// Random programs: computations drawn from all differentiable operations, with garbage wherever a
/// length or a mask hides it. See random_programs --help for the checks.
namespace attune::random_programs {

/// One flag for each element, set if it is hidden and may hold anything; empty if none is set.
using HiddenMask = std::vector<char>;
using Tensors = std::vector<Tensor>;
using Apply = std::function<Tensors(const Tensors&)>;

/// An input of the program: a float64 parameter.
struct Leaf {
  int id = 0;
  Tensor tensor;
};

/// One operation or layer.
struct Step {
  std::string name;          ///< such as "softmax"
  std::string details;       ///< such as "axis=1 lengths=[2, 0]"
  std::vector<int> inputs;   ///< ids of values; -1 for an omitted operand
  std::vector<int> outputs;  ///< ids of values
  Apply apply;               ///< for both dtypes, unless a layer's parameters are float64
  bool float64_only = false;
};

/// A value that contributes to the loss, the sum over outputs of <value, cotangent>.
struct Output {
  int id = 0;
  Array cotangent;
};

struct Program {
  std::uint64_t seed = 0;
  std::vector<Leaf> leaves;
  std::vector<Step> steps;  ///< in order of execution
  std::vector<Output> outputs;
  std::vector<Shape> shapes;       ///< of all values, by id
  std::vector<HiddenMask> hidden;  ///< of all values, by id: elements that may hold anything
  bool large = false;              ///< large enough to be split among threads
  bool one_loss = false;           ///< differentiate one scalar, rather than each output on its own

  bool float64_only() const;
  bool hides_something() const;
};

/// How to run a program.
struct RunOptions {
  DType dtype = DType::f64;
  bool observed = false;  ///< with hooks that return their argument, and retain_grad()
  bool twice = false;     ///< differentiate twice, and return the second pass's gradients
  bool added = false;     ///< differentiate twice, and return the sum of both
  bool with_garbage = false;
  double garbage = 0;  ///< the value of all hidden elements of leaves
};

/// All values by id, and the gradients of all leaves in their order (zeros where the loss does not
/// depend on a leaf).
struct RunResult {
  std::vector<Array> values, gradients;
};

RunResult differentiate(const Program& program, const RunOptions& options = {});

/// All values by id, computed from the current values of the leaves without recording.
Tensors evaluate(const Program& program);

/// The program as text: a line for each leaf, step and output.
std::string to_text(const Program& program);
/// [2, 0, 3]
std::string to_text(const Indices& indices);

}  // namespace attune::random_programs
