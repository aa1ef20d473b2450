#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/layers/all.h"
#include "attune/optim/all.h"
#include "catch.h"

using namespace attune;

namespace {

struct Net : Layer {
  GRU encoder = child("encoder", GRU(3, 4));
  FeedForward decoder = child("decoder", FeedForward({4, 5, 2}));
  Tensor operator()(const Tensor& x) const { return decoder(encoder(x).output); }
};

std::vector<std::vector<float>> values(const Layer& layer) {
  std::vector<std::vector<float>> all;
  for (const auto& [name, value] : layer.values()) all.push_back(value.to_vector());
  return all;
}

Array some_input() {
  Array x({3, 2, 3});
  Generator(5).normal(x, 0, 1);
  return x;
}

}  // namespace

TEST_CASE("a frozen parameter gets no gradient, and its existing gradient is released") {
  Tensor a = Tensor::parameter(Array::full({2}, 3)), b = Tensor::parameter(Array::full({2}, 5));
  const Tensor copy = a;
  sum(a * b).backward();
  a.requires_grad(false);
  CHECK_FALSE(copy.requires_grad());
  CHECK_FALSE(a.grad().defined());
  sum(a * b).backward();
  CHECK_FALSE(a.grad().defined());
  CHECK(b.grad().to_vector() == std::vector<float>{6, 6});
  CHECK_FALSE(square(a).requires_grad());
  CHECK_FALSE(a[0].requires_grad());
  CHECK_THROWS_WITH(sum(square(a)).backward(), contains("parameters that are not frozen"));
  a.requires_grad(true);
  sum(a * b).backward();
  CHECK(a.grad().to_vector() == std::vector<float>{5, 5});
}

TEST_CASE("only parameters can be frozen") {
  Tensor constant(Array::full({2}, 1));
  CHECK_THROWS_WITH(constant.requires_grad(false), contains("shape [2] is a constant"));
  Tensor computed = Tensor::parameter(Array::full({2}, 1)) * 2;
  CHECK_THROWS_WITH(computed.requires_grad(false), contains("is computed from others"));
}

TEST_CASE("a layer freezes all of its parameters, or those whose names match a pattern") {
  Net net;
  net.requires_grad("encoder.*", false);
  for (const Param& param : net.parameters())
    CHECK(param.value.requires_grad() == !param.name.starts_with("encoder."));
  net.requires_grad("*.layer?.bias", false);
  for (const Param& param : net.parameters())
    CHECK(param.value.requires_grad() ==
          (param.name == "decoder.layer0.weight" || param.name == "decoder.layer1.weight"));
  net.requires_grad(true);
  for (const Param& param : net.parameters()) CHECK(param.value.requires_grad());
  net.requires_grad(false);
  CHECK_FALSE(net(some_input()).requires_grad());
  CHECK_THROWS_WITH(net.requires_grad("encodr.*", false),
                    contains("no parameter matches 'encodr.*'"));
}

TEST_CASE("freezing a part changes no bit of the other part's gradients") {
  seed(3);
  Net net;
  const auto gradients = [&] {
    net.zero_grad();
    sum(square(net(some_input()))).backward();
    std::vector<std::vector<float>> all;
    for (const Param& param : net.decoder.parameters())
      all.push_back(param.value.grad().to_vector());
    return all;
  };
  const auto all = gradients();
  net.encoder.requires_grad(false);
  CHECK(gradients() == all);
  for (const Param& param : net.encoder.parameters()) CHECK_FALSE(param.value.grad().defined());
}

TEST_CASE("every optimizer leaves frozen parameters alone, weight decay included") {
  for (const std::string& name : optimizer_names()) {
    INFO(name);
    seed(4);
    Net net;
    net.encoder.requires_grad(false);  // before they are added to the optimizer
    const auto optimizer =
        make_optimizer(name, net.parameters(), {.learning_rate = 0.1, .weight_decay = 0.5});
    const auto before = values(net);
    const auto step = [&] {
      optimizer->zero_grad();
      const Tensor loss = sum(square(net(some_input())));
      loss.backward();
      return loss;
    };
    step();
    optimizer->step();
    auto after = values(net);
    for (std::size_t i = 0; i < before.size(); ++i)
      CHECK((after[i] == before[i]) == net.parameters()[i].name.starts_with("encoder."));

    step();
    net.decoder.requires_grad(false);  // and afterwards, even with a pending gradient
    optimizer->step();
    CHECK(values(net) == after);
    net.requires_grad(true);
    step();
    optimizer->step();
    for (std::size_t i = 0; i < before.size(); ++i) CHECK(values(net)[i] != after[i]);
  }
}

TEST_CASE("clipping skips frozen parameters") {
  Tensor a = Tensor::parameter(Array::full({1}, 3)), b = Tensor::parameter(Array::full({1}, 4));
  a.requires_grad(false);
  sum(a * b).backward();
  CHECK(clip_grad_norm({a, b}, 1) == Approx(3));
  CHECK(b.grad().at(0) == Approx(1));
}
