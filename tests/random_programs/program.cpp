#include "random_programs/program.h"

#include <algorithm>

namespace attune::random_programs {
namespace {

// Values of all steps, from leaves that are given.
Tensors run(const Program& program, const Tensors& leaves) {
  Tensors values(program.shapes.size());
  for (std::size_t i = 0; i < leaves.size(); ++i)
    values[static_cast<std::size_t>(program.leaves[i].id)] = leaves[i];
  Tensors inputs;
  for (const Step& step : program.steps) {
    inputs.clear();
    for (const int id : step.inputs)
      inputs.push_back(id < 0 ? Tensor() : values[static_cast<std::size_t>(id)]);
    const Tensors results = step.apply(inputs);
    for (std::size_t k = 0; k < step.outputs.size(); ++k)
      values[static_cast<std::size_t>(step.outputs[k])] = results.at(k);
  }
  return values;
}

void fill(Array values, const HiddenMask& mask, double value) {
  for (std::size_t i = 0; i < mask.size(); ++i)
    if (mask[i]) values.set(static_cast<std::int64_t>(i), value);
}

// Replaces the hidden elements of leaves, and restores them.
class Garbage {
 public:
  Garbage(const Program& program, const RunOptions& options) : program_(program) {
    for (const Leaf& leaf : program.leaves) {
      kept_.emplace_back();
      const HiddenMask& mask = program.hidden[static_cast<std::size_t>(leaf.id)];
      if (!options.with_garbage || mask.empty()) continue;
      kept_.back() = leaf.tensor.value().clone();
      fill(Tensor(leaf.tensor).value(), mask, options.garbage);
    }
  }
  ~Garbage() {
    for (std::size_t i = 0; i < kept_.size(); ++i)
      if (kept_[i].defined()) Tensor(program_.leaves[i].tensor).value().assign(kept_[i]);
  }
  Garbage(const Garbage&) = delete;
  Garbage& operator=(const Garbage&) = delete;

 private:
  const Program& program_;
  std::vector<Array> kept_;
};

void backward(const Program& program, const Tensors& values, DType dtype) {
  if (program.one_loss) {
    Tensor loss;
    for (const auto& [id, cotangent] : program.outputs) {
      const Tensor part = sum(values[static_cast<std::size_t>(id)] * Tensor(cotangent.to(dtype)));
      loss = loss.defined() ? loss + part : part;
    }
    if (loss.requires_grad()) loss.backward(/*retain_graph=*/true);
    return;
  }
  for (const auto& [id, cotangent] : program.outputs)
    if (const Tensor& value = values[static_cast<std::size_t>(id)]; value.requires_grad())
      value.backward(cotangent.to(dtype), /*retain_graph=*/true);
}

// " 0-2 5"
std::string ranges(const HiddenMask& mask) {
  std::string text;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (!mask[i]) continue;
    const std::size_t first = i;
    while (i + 1 < mask.size() && mask[i + 1]) ++i;
    text += first == i ? fmt::format(" {}", i) : fmt::format(" {}-{}", first, i);
  }
  return text;
}

void observe(Tensors& values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i].defined() || !values[i].requires_grad()) continue;
    const bool alone = values[i].node()->outputs() == 1;  // others take no hooks
    if (i % 3 != 0 && alone)
      values[i].register_hook([](const Array& gradient) { return gradient; });
    if (i % 3 != 1) values[i].retain_grad();
  }
}

}  // namespace

bool Program::float64_only() const {
  return std::any_of(steps.begin(), steps.end(),
                     [](const Step& step) { return step.float64_only; });
}

bool Program::hides_something() const {
  return std::any_of(leaves.begin(), leaves.end(), [&](const Leaf& leaf) {
    return !hidden[static_cast<std::size_t>(leaf.id)].empty();
  });
}

RunResult differentiate(const Program& program, const RunOptions& options) {
  const Garbage garbage(program, options);
  Tensors leaves;
  for (const Leaf& leaf : program.leaves) {
    leaves.push_back(options.dtype == DType::f64
                         ? leaf.tensor
                         : Tensor::parameter(leaf.tensor.value().to(options.dtype)));
    leaves.back().zero_grad();
  }
  Tensors values = run(program, leaves);
  // Leaves of float64 outlive this run, and so would their hooks.
  if (options.observed) {
    Tensors seen = values;
    for (const Leaf& leaf : program.leaves) seen[static_cast<std::size_t>(leaf.id)] = Tensor();
    observe(seen);
  }
  backward(program, values, options.dtype);
  if (options.twice)
    for (Tensor& leaf : leaves) leaf.zero_grad();
  if (options.twice || options.added) backward(program, values, options.dtype);

  RunResult result;
  for (const Tensor& value : values)
    result.values.push_back(value.defined() ? value.value().clone() : Array());
  for (Tensor& leaf : leaves) {
    result.gradients.push_back(leaf.grad().defined() ? leaf.grad().clone()
                                                     : Array::zeros(leaf.shape(), options.dtype));
    leaf.zero_grad();
  }
  return result;
}

Tensors evaluate(const Program& program) {
  const NoGrad no_grad;
  Tensors leaves;
  for (const Leaf& leaf : program.leaves) leaves.push_back(leaf.tensor);
  return run(program, leaves);
}

std::string to_text(const Indices& indices) {
  if (!indices.defined()) return "none";
  std::string text;
  for (const std::int32_t i : indices.to_vector())
    text += (text.empty() ? "" : ", ") + std::to_string(i);
  return "[" + text + "]";
}

std::string to_text(const Program& program) {
  const auto value = [&](int id) {
    return id < 0 ? std::string("none")
                  : fmt::format("v{} {}", id, program.shapes[static_cast<std::size_t>(id)]);
  };
  const auto list = [&](const std::vector<int>& ids) {
    std::string text;
    for (const int id : ids) text += (text.empty() ? "" : ", ") + value(id);
    return text;
  };
  std::string text;
  for (const Leaf& leaf : program.leaves) {
    const HiddenMask& mask = program.hidden[static_cast<std::size_t>(leaf.id)];
    text += fmt::format("  {} = leaf", value(leaf.id));
    if (!mask.empty()) {
      text += ", hidden" + ranges(mask);
    }
    text += "\n";
  }
  for (const Step& step : program.steps)
    text += fmt::format("  {} = {}({}){}{}\n", list(step.outputs), step.name, list(step.inputs),
                        step.details.empty() ? "" : " ", step.details);
  for (const Output& output : program.outputs) text += fmt::format("  use {}\n", value(output.id));
  return text;
}

}  // namespace attune::random_programs
