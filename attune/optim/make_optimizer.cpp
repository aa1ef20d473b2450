#include "attune/optim/make_optimizer.h"

#include "attune/optim/adagrad.h"
#include "attune/optim/adam.h"
#include "attune/optim/rmsprop.h"
#include "attune/optim/sgd.h"

namespace attune {
namespace {

template <typename Kind, typename Options>
std::unique_ptr<Optimizer> make(const Parameters& parameters, const OptimizerOptions& chosen,
                                Options options) {
  options.learn_rate = chosen.learn_rate.value_or(options.learn_rate);
  options.weight_decay = chosen.weight_decay.value_or(options.weight_decay);
  if constexpr (requires { options.momentum; })
    options.momentum = chosen.momentum.value_or(options.momentum);
  return std::make_unique<Kind>(parameters, options);
}

struct Maker {
  std::string_view name;
  bool has_momentum;
  std::unique_ptr<Optimizer> (*make)(const Parameters&, const OptimizerOptions&);
};

constexpr Maker kMakers[] = {
    {"sgd", true, [](auto& p, auto& chosen) { return make<SGD>(p, chosen, SGDOptions{}); }},
    {"momentum", true,
     [](auto& p, auto& chosen) { return make<SGD>(p, chosen, SGDOptions{.momentum = 0.9}); }},
    {"nesterov", true,
     [](auto& p, auto& chosen) {
       return make<SGD>(p, chosen, SGDOptions{.momentum = 0.9, .nesterov = true});
     }},
    {"adagrad", false,
     [](auto& p, auto& chosen) { return make<Adagrad>(p, chosen, AdagradOptions{}); }},
    {"rmsprop", true,
     [](auto& p, auto& chosen) { return make<RMSprop>(p, chosen, RMSpropOptions{}); }},
    {"adam", false, [](auto& p, auto& chosen) { return make<Adam>(p, chosen, AdamOptions{}); }},
    {"adamw", false, [](auto& p, auto& chosen) { return make<AdamW>(p, chosen, AdamWOptions{}); }},
};

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(std::string_view name, const Parameters& parameters,
                                          const OptimizerOptions& options) {
  for (const Maker& maker : kMakers) {
    if (maker.name != name) continue;
    ATTUNE_CHECK(maker.has_momentum || !options.momentum,
                 "make_optimizer: '{}' has no momentum to set; leave it out, or use sgd or rmsprop",
                 name);
    return maker.make(parameters, options);
  }
  fail("make_optimizer: unknown optimizer '{}'; known are {}", name,
       fmt::join(optimizer_names(), ", "));
}

std::vector<std::string> optimizer_names() {
  std::vector<std::string> names;
  for (const Maker& maker : kMakers) names.emplace_back(maker.name);
  return names;
}

}  // namespace attune
