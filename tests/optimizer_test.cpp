#include <cmath>
#include <functional>
#include <limits>
#include <memory>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/random.h"
#include "attune/optim/all.h"
#include "catch.h"

using namespace attune;

namespace {

Array numbers(const std::vector<double>& values) {
  return Array::from(values, {static_cast<std::int64_t>(values.size())});
}

Tensor parameter(const std::vector<double>& values) { return Tensor::parameter(numbers(values)); }

void set_gradient(Tensor tensor, const Array& gradient) {
  tensor.zero_grad();
  tensor.backward(gradient);
}

// Tensors large and small, of both types, that start from the same random numbers in every call.
std::vector<Tensor> random_parameters() {
  Generator generator(7);
  std::vector<Tensor> result;
  for (const Shape& shape : {Shape{300, 257}, Shape{5}, Shape{}, Shape{33, 3}, Shape{70001}})
    for (const DType dtype : {DType::f32, DType::f64}) {
      Array values(shape, dtype);
      generator.normal(values, 0, 1);
      result.push_back(Tensor::parameter(values));
    }
  return result;
}

void set_random_gradients(const std::vector<Tensor>& parameters, std::uint64_t seed) {
  Generator generator(seed);
  for (const Tensor& tensor : parameters) {
    Array gradient(tensor.shape(), tensor.dtype());
    generator.normal(gradient, 0, 1);
    set_gradient(tensor, gradient);
  }
}

void train(Optimizer& optimizer, const std::vector<Tensor>& parameters, int first, int last) {
  for (int step = first; step < last; ++step) {
    set_random_gradients(parameters, static_cast<std::uint64_t>(step));
    optimizer.step();
  }
}

std::vector<std::vector<double>> values_of(const std::vector<Tensor>& parameters) {
  std::vector<std::vector<double>> result;
  for (const Tensor& tensor : parameters) result.push_back(tensor.value().to_vector<double>());
  return result;
}

using Maker = std::function<std::unique_ptr<Optimizer>(const Parameters&)>;

// Every update rule with all of its state.
const std::vector<std::pair<std::string, Maker>>& makers() {
  static const std::vector<std::pair<std::string, Maker>> list = {
      {"SGD", [](auto& p) { return std::make_unique<SGD>(p); }},
      {"SGD with momentum",
       [](auto& p) { return std::make_unique<SGD>(p, SGDOptions{.momentum = 0.9}); }},
      {"Adagrad",
       [](auto& p) {
         return std::make_unique<Adagrad>(p, AdagradOptions{.learning_rate_decay = 0.1});
       }},
      {"RMSprop",
       [](auto& p) {
         return std::make_unique<RMSprop>(p, RMSpropOptions{.momentum = 0.9, .centered = true});
       }},
      {"Adam", [](auto& p) { return std::make_unique<Adam>(p); }},
      {"AdamW", [](auto& p) { return std::make_unique<AdamW>(p); }},
  };
  return list;
}

struct ThreadCount {
  explicit ThreadCount(int count) : before(threads()) { set_threads(count); }
  ~ThreadCount() { set_threads(before); }
  int before;
};

}  // namespace

TEST_CASE("an optimizer does not change a parameter without a gradient") {
  for (const auto& [name, make] : makers()) {
    INFO(name);
    Tensor with = parameter({1, 2}), without = parameter({3, 4});
    const auto optimizer = make({with, without});
    set_gradient(with, numbers({1, 1}));
    optimizer->step();
    REQUIRE(with.value().at(0) < 1);
    REQUIRE(without.value().to_vector<double>() == std::vector<double>{3, 4});
  }
}

TEST_CASE("a parameter's own steps count from its first gradient") {
  // As in PyTorch: whether its first gradient comes in step 1 or step 3, the first update is equal.
  for (const auto& [name, make] : makers()) {
    INFO(name);
    Tensor early = parameter({1}), late = parameter({1}), other = parameter({1});
    const auto with_early = make({early}), with_late = make({late, other});
    for (int i = 0; i < 2; ++i) {
      set_gradient(other, numbers({1}));
      with_late->step();
    }
    set_gradient(early, numbers({0.5}));
    with_early->step();
    set_gradient(late, numbers({0.5}));
    with_late->step();
    REQUIRE(late.value().at(0) == early.value().at(0));
  }
}

TEST_CASE("an optimizer step changes the parameter's version") {
  Tensor p = parameter({1});
  SGD optimizer({p});
  set_gradient(p, numbers({1}));
  const std::uint32_t before = p.value().version();
  optimizer.step();
  REQUIRE(p.value().version() != before);
}

TEST_CASE("zero_grad clears the gradients of all groups") {
  Tensor a = parameter({1}), b = parameter({2});
  SGD optimizer({{{a}, {.learning_rate = 1}}, {{b}, {.learning_rate = 2}}});
  set_gradient(a, numbers({1}));
  set_gradient(b, numbers({1}));
  optimizer.zero_grad();
  REQUIRE_FALSE(a.grad().defined());
  REQUIRE_FALSE(b.grad().defined());
}

TEST_CASE("each parameter group has its own options") {
  Tensor a = parameter({1}), b = parameter({1}), c = parameter({1});
  SGD optimizer(
      {{{a, b}, {.learning_rate = 0.1}}, {{c}, {.learning_rate = 0.5, .weight_decay = 1}}});
  for (const Tensor& p : {a, b, c}) set_gradient(p, numbers({1}));
  optimizer.step();
  REQUIRE(a.value().at(0) == Approx(0.9));
  REQUIRE(b.value().at(0) == Approx(0.9));
  REQUIRE(c.value().at(0) == Approx(1 - 0.5 * (1 + 1)));
}

TEST_CASE("the learning rate can be set for all groups, for one, and as a factor") {
  Tensor a = parameter({1}), b = parameter({1});
  SGD optimizer({{{a}, {.learning_rate = 0.1}}, {{b}, {.learning_rate = 0.5}}});
  optimizer.scale_learning_rate(0.5);
  optimizer.scale_learning_rate(0.1);  // of the first rate, not of the last one
  REQUIRE(optimizer.learning_rate(0) == Approx(0.01));
  REQUIRE(optimizer.learning_rate(1) == Approx(0.05));
  optimizer.set_learning_rate(2, 1);
  REQUIRE(optimizer.learning_rate(0) == Approx(0.01));
  REQUIRE(optimizer.learning_rate(1) == 2);
  optimizer.set_learning_rate(3);
  REQUIRE(optimizer.learning_rate() == 3);
  set_gradient(a, numbers({1}));
  optimizer.step();
  REQUIRE(a.value().at(0) == 1 - 3);
  REQUIRE_THROWS_WITH(optimizer.set_learning_rate(1, 2), contains("no group 2; it has 2"));
  REQUIRE_THROWS_WITH(optimizer.set_learning_rate(-1), contains("learning rate is -1"));
}

TEST_CASE("dampening weakens new gradients after the first step") {
  Tensor p = parameter({0});
  SGD optimizer({p}, {.learning_rate = 1, .momentum = 0.5, .dampening = 0.75});
  set_gradient(p, numbers({8}));
  optimizer.step();  // b = 8
  REQUIRE(p.value().at(0) == -8);
  optimizer.step();  // b = 0.5 * 8 + 0.25 * 8 = 6
  REQUIRE(p.value().at(0) == -14);
}

TEST_CASE("Adagrad's learning rate decays with the steps of a parameter") {
  Tensor p = parameter({0});
  Adagrad optimizer({p}, {.learning_rate = 1, .learning_rate_decay = 0.5, .eps = 0});
  set_gradient(p, numbers({3}));
  optimizer.step();
  REQUIRE(p.value().at(0) == Approx(-1));
  optimizer.step();
  REQUIRE(p.value().at(0) == Approx(-1 - 1 / 1.5 * 3 / std::sqrt(18.0)));
}

TEST_CASE("an average that decays ends at 0 and not at a subnormal number") {
  const Array some = Array::full({40}, 1e-3), none = Array::zeros({40});
  Tensor p = Tensor::parameter(Array::zeros({40}));
  Adam adam({p});
  SGD sgd({p}, {.momentum = 0.9});
  set_gradient(p, some);
  adam.step();
  sgd.step();
  set_gradient(p, none);
  for (int i = 0; i < 1000; ++i) {
    adam.step();
    sgd.step();
  }
  for (const Optimizer* optimizer : {static_cast<Optimizer*>(&adam), static_cast<Optimizer*>(&sgd)})
    for (const auto& [name, array] : optimizer->state())
      if (name == "0.exp_avg" || name == "0.momentum_buffer")
        REQUIRE(array.to_vector() == std::vector<float>(40, 0));
}

TEST_CASE("optimizer steps have the same bits for 1, 2, 3 and 8 threads") {
  for (const auto& [name, make] : makers()) {
    INFO(name);
    std::vector<std::vector<double>> expected;
    for (const int count : {1, 2, 3, 8}) {
      const ThreadCount scope(count);
      const std::vector<Tensor> parameters = random_parameters();
      train(*make(parameters), parameters, 0, 3);
      if (count == 1)
        expected = values_of(parameters);
      else
        REQUIRE(values_of(parameters) == expected);
    }
  }
}

TEST_CASE("an optimizer resumes from its saved state with bitwise equal results") {
  for (const auto& [name, make] : makers()) {
    INFO(name);
    const std::vector<Tensor> through = random_parameters();
    train(*make(through), through, 0, 6);

    const std::vector<Tensor> stopped = random_parameters();
    const auto first = make(stopped);
    train(*first, stopped, 0, 3);
    const auto second = make(stopped);
    second->load_state(first->state());
    REQUIRE(second->steps() == 3);
    train(*second, stopped, 3, 6);
    REQUIRE(values_of(stopped) == values_of(through));
  }
}

TEST_CASE("a restored optimizer shares nothing with the state it came from") {
  Tensor p = parameter({1});
  SGD first({p}, {.learning_rate = 1, .momentum = 0.5}), second({p}, {.momentum = 0.5});
  set_gradient(p, numbers({8}));
  first.step();
  second.load_state(first.state());
  REQUIRE(second.learning_rate() == 1);
  first.step();
  for (const auto& [name, array] : second.state())
    if (name == "0.momentum_buffer") REQUIRE(array.at(0) == 8);
}

TEST_CASE("optimizer state is keyed by the names of the parameters") {
  struct Named {
    std::string name;
    Tensor value;
  };
  const std::vector<Named> encoder = {{"weight", parameter({1, 2})}, {"bias", parameter({3})}};
  const std::vector<Named> decoder = {{"weight", parameter({4})}};
  Adam optimizer({{encoder, {}}, {decoder, {}}, {Parameters{parameter({5})}, {}}});
  for (const Named& p : encoder) set_gradient(p.value, p.value.value());
  set_gradient(decoder[0].value, numbers({1}));
  optimizer.step();

  std::vector<std::string> names;
  for (const auto& [name, array] : optimizer.state()) names.push_back(name);
  REQUIRE(names == std::vector<std::string>{
                       "steps", "0.learning_rate", "1.learning_rate", "2.learning_rate",  //
                       "weight.step", "weight.exp_avg", "weight.exp_avg_sq",              //
                       "bias.step", "bias.exp_avg", "bias.exp_avg_sq",                    //
                       "weight#2.step", "weight#2.exp_avg", "weight#2.exp_avg_sq"});      //
}

TEST_CASE("a mismatched state is rejected before anything is changed") {
  Tensor p = parameter({1, 2}), q = parameter({1, 2, 3});
  Adam optimizer({p});
  set_gradient(p, numbers({1, 1}));
  optimizer.step();
  const NamedArrays good = optimizer.state();

  Adam other({p});
  const auto refuses = [&](NamedArrays state, const std::string& message) {
    REQUIRE_THROWS_WITH(other.load_state(state), contains(message));
    REQUIRE(other.steps() == 0);
    REQUIRE(other.state().size() == 2);
  };
  NamedArrays missing = good;
  missing.pop_back();
  refuses(missing, "no '0.exp_avg_sq'");
  NamedArrays unknown = good;
  unknown.emplace_back("1.step", number_array(1));
  refuses(unknown, "has no '1.step'");
  NamedArrays no_count = good;
  no_count[0].second = number_array(std::numeric_limits<double>::quiet_NaN());
  refuses(no_count, "'steps' is nan");
  REQUIRE_THROWS_WITH(Adam({q}).load_state(good), contains("has the shape [2]; expected [3]"));
  REQUIRE_THROWS_WITH(SGD({p}).load_state(good), contains("has no '0."));
}

TEST_CASE("an optimizer rejects tensors that are not parameters, and duplicates") {
  Tensor p = parameter({1});
  REQUIRE_THROWS_WITH(SGD({Tensor(numbers({1, 2}))}), contains("'0' of shape [2] is not a"));
  REQUIRE_THROWS_WITH(SGD({{{p}, {}}, {{p}, {}}}), contains("given twice"));
}

TEST_CASE("optimizer options out of range are rejected") {
  Tensor p = parameter({1});
  REQUIRE_THROWS_WITH(SGD({p}, {.momentum = 2}), contains("SGD: the momentum is 2"));
  REQUIRE_THROWS_WITH(SGD({p}, {.nesterov = true}), contains("needs momentum > 0"));
  REQUIRE_THROWS_WITH(SGD({p}, {.weight_decay = -1}), contains("weight decay is -1"));
  REQUIRE_THROWS_WITH(SGD({p}, {.learning_rate = NAN}), contains("learning rate is nan"));
  REQUIRE_THROWS_WITH(Adagrad({p}, {.eps = -1}), contains("eps -1"));
  REQUIRE_THROWS_WITH(RMSprop({p}, {.alpha = 1.5}), contains("alpha is 1.5"));
  REQUIRE_THROWS_WITH(Adam({p}, {.beta2 = 1}), contains("the betas are 0.9 and 1"));
  REQUIRE_THROWS_WITH(AdamW({p}, {.weight_decay = -1}), contains("AdamW: eps is 1e-08"));
}

TEST_CASE("make_optimizer accepts every name of an optimizer") {
  for (const std::string& name : optimizer_names()) {
    INFO(name);
    Tensor p = parameter({1});
    const auto optimizer = make_optimizer(name, {p}, {.learning_rate = 0.25, .weight_decay = 0});
    REQUIRE(optimizer->learning_rate() == 0.25);
    set_gradient(p, numbers({1}));
    optimizer->step();
    REQUIRE(p.value().at(0) < 1);
  }
}

TEST_CASE("make_optimizer passes on chosen options and keeps the other defaults") {
  // The parameter after two steps with gradient 1 depends on the momentum.
  const auto after_two_steps = [](const char* name, OptimizerOptions options) {
    Tensor p = parameter({0});
    const auto optimizer = make_optimizer(name, {p}, options);
    for (int i = 0; i < 2; ++i) {
      set_gradient(p, numbers({1}));
      optimizer->step();
    }
    return p.value().at(0);
  };
  REQUIRE(after_two_steps("sgd", {.learning_rate = 1}) == Approx(-2));
  REQUIRE(after_two_steps("sgd", {.learning_rate = 1, .momentum = 0.5}) == Approx(-2.5));
  REQUIRE(after_two_steps("momentum", {.learning_rate = 1}) == Approx(-2.9));
  REQUIRE(after_two_steps("nesterov", {.learning_rate = 1}) == Approx(-1.9 - (1 + 0.9 * 1.9)));
  REQUIRE(make_optimizer("adam", {parameter({1})})->learning_rate() == AdamOptions{}.learning_rate);
}

TEST_CASE("make_optimizer errors name unknown optimizers and options") {
  REQUIRE_THROWS_WITH(make_optimizer("sdg", {parameter({1})}),
                      contains("optimizer: 'sdg' is unknown; known are sgd, momentum, nesterov, "
                               "adagrad, rmsprop, adam, adamw"));
  REQUIRE_THROWS_WITH(make_optimizer("adam", {parameter({1})}, {.momentum = 0.9}),
                      contains("'adam' has no momentum"));
}
