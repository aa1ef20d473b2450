#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "attune/autograd/array/family.h"
#include "attune/optim/optimizer.h"

namespace attune {

/// Options common to several optimizers; one that is not set keeps the optimizer's default.
struct OptimizerOptions {
  std::optional<double> learning_rate = {}, weight_decay = {}, momentum = {};
};

using OptimizerMaker =
    std::function<std::unique_ptr<Optimizer>(const Parameters&, const OptimizerOptions&)>;

/// The optimizers that can be chosen by name.
Family<OptimizerMaker>& optimizers();
/// Makes the optimizer called `name`. Errors: an unknown name (the message lists the valid ones);
/// no parameters; a momentum for an optimizer that has none; an option out of range.
std::unique_ptr<Optimizer> make_optimizer(std::string_view name, const Parameters& parameters,
                                          const OptimizerOptions& options = {});
/// The names that make_optimizer() accepts.
std::vector<std::string> optimizer_names();

}  // namespace attune
