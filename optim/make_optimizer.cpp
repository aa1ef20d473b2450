#include "attune/optim/make_optimizer.h"

#include "attune/optim/adagrad.h"
#include "attune/optim/adam.h"
#include "attune/optim/rmsprop.h"
#include "attune/optim/sgd.h"

namespace attune {
namespace {

// Makes a Kind with the given defaults, which the options that are set override.
template <typename Kind, typename Options>
OptimizerMaker maker(const char* name, const Options& defaults) {
  return [name, defaults](const Parameters& parameters, const OptimizerOptions& chosen) {
    (void)name;  // unused if Kind has a momentum
    Options options = defaults;
    options.learning_rate = chosen.learning_rate.value_or(options.learning_rate);
    options.weight_decay = chosen.weight_decay.value_or(options.weight_decay);
    if constexpr (requires { options.momentum; })
      options.momentum = chosen.momentum.value_or(options.momentum);
    else
      ATTUNE_CHECK(!chosen.momentum,
                   "make_optimizer: '{}' has no momentum to set; leave it out, or use sgd or "
                   "rmsprop",
                   name);
    return std::make_unique<Kind>(parameters, options);
  };
}

}  // namespace

Family<OptimizerMaker>& optimizers() {
  static Family<OptimizerMaker> family(
      "optimizer",
      {
          {"sgd", "stochastic gradient descent", "Robbins and Monro 1951",
           maker<SGD>("sgd", SGDOptions{})},
          {"momentum", "SGD with a momentum of 0.9", "Polyak 1964; Sutskever et al. 2013",
           maker<SGD>("momentum", SGDOptions{.momentum = 0.9})},
          {"nesterov", "SGD with Nesterov's momentum of 0.9", "Sutskever et al. 2013",
           maker<SGD>("nesterov", SGDOptions{.momentum = 0.9, .nesterov = true})},
          {"adagrad", "rates fall with the sum of squared gradients",
           "Duchi, Hazan and Singer 2011", maker<Adagrad>("adagrad", AdagradOptions{})},
          {"rmsprop", "gradients divided by their running root mean square",
           "Hinton 2012, lecture 6e", maker<RMSprop>("rmsprop", RMSpropOptions{})},
          {"adam", "running means of gradient and square, corrected for their start",
           "Kingma and Ba 2015, algorithm 1", maker<Adam>("adam", AdamOptions{})},
          {"adamw", "Adam with decoupled weight decay", "Loshchilov and Hutter 2019, algorithm 2",
           maker<AdamW>("adamw", AdamWOptions{})},
      });
  return family;
}

std::unique_ptr<Optimizer> make_optimizer(std::string_view name, const Parameters& parameters,
                                          const OptimizerOptions& options) {
  return optimizers().at(name).make(parameters, options);
}

std::vector<std::string> optimizer_names() { return optimizers().names(); }

}  // namespace attune
