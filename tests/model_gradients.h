#pragma once

#include <cmath>
#include <functional>
#include <string>

#include "attune/autograd/all.h"
#include "attune/layers/layer.h"
#include "compare.h"

/// Compares the derivative of the loss in a random direction of each parameter with the finite
/// difference. (For all models, that of each element would take too long; the tests of layers check
/// it.)
inline std::string fault_of_gradients(const attune::Layer& model,
                                      const std::function<attune::Tensor()>& loss) {
  using namespace attune;
  constexpr double kStep = 1e-6;
  const Gradients gradients = backward(loss());
  for (const Param& param : model.parameters()) {
    Array value = param.value.value();  // the parameter's own memory
    const Array before = value.clone();
    const Array direction = random_normal(before.shape(), before.dtype()).value();
    const auto loss_at = [&](double step) {
      for (std::int64_t i = 0; i < before.elements(); ++i)
        value.set(i, before.at(i) + step * direction.at(i));
      const NoGrad no_grad;
      return loss().item();
    };
    const double expected = (loss_at(kStep) - loss_at(-kStep)) / (2 * kStep);
    loss_at(0);
    double found = 0;
    if (const Array* gradient = gradients.find(param.value))
      for (std::int64_t i = 0; i < before.elements(); ++i)
        found += gradient->at(i) * direction.at(i);
    if (!(std::abs(found - expected) <= 1e-7 + 1e-5 * std::abs(expected)))
      return fmt::format("{}: the derivative is {}, the finite difference {}", param.name, found,
                         expected);
  }
  return "";
}
