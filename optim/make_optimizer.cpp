#include "attune/optim/make_optimizer.h"

#include "attune/autograd/array/lookup.h"
#include "attune/optim/adagrad.h"
#include "attune/optim/adam.h"
#include "attune/optim/rmsprop.h"
#include "attune/optim/sgd.h"

namespace attune {
namespace {

template <typename Kind, typename Options>
std::unique_ptr<Optimizer> make(const Parameters& parameters, const OptimizerOptions& chosen,
                                Options options) {
  options.learning_rate = chosen.learning_rate.value_or(options.learning_rate);
  options.weight_decay = chosen.weight_decay.value_or(options.weight_decay);
  if constexpr (requires { options.momentum; })
    options.momentum = chosen.momentum.value_or(options.momentum);
  return std::make_unique<Kind>(parameters, options);
}

struct Maker {
  bool has_momentum;
  std::unique_ptr<Optimizer> (*make)(const Parameters&, const OptimizerOptions&);
};

const NameTable<Maker>& table() {
  static const NameTable<Maker> makers = {
      {"sgd", {true, [](auto& p, auto& chosen) { return make<SGD>(p, chosen, SGDOptions{}); }}},
      {"momentum",
       {true,
        [](auto& p, auto& chosen) { return make<SGD>(p, chosen, SGDOptions{.momentum = 0.9}); }}},
      {"nesterov",
       {true,
        [](auto& p, auto& chosen) {
          return make<SGD>(p, chosen, SGDOptions{.momentum = 0.9, .nesterov = true});
        }}},
      {"adagrad",
       {false, [](auto& p, auto& chosen) { return make<Adagrad>(p, chosen, AdagradOptions{}); }}},
      {"rmsprop",
       {true, [](auto& p, auto& chosen) { return make<RMSprop>(p, chosen, RMSpropOptions{}); }}},
      {"adam", {false, [](auto& p, auto& chosen) { return make<Adam>(p, chosen, AdamOptions{}); }}},
      {"adamw",
       {false, [](auto& p, auto& chosen) { return make<AdamW>(p, chosen, AdamWOptions{}); }}},
  };
  return makers;
}

}  // namespace

std::unique_ptr<Optimizer> make_optimizer(std::string_view name, const Parameters& parameters,
                                          const OptimizerOptions& options) {
  const Maker& maker = look_up(table(), name, "optimizer");
  ATTUNE_CHECK(maker.has_momentum || !options.momentum,
               "make_optimizer: '{}' has no momentum to set; leave it out, or use sgd or rmsprop",
               name);
  return maker.make(parameters, options);
}

std::vector<std::string> optimizer_names() { return names_of(table()); }

}  // namespace attune
