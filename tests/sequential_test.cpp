#include "attune/layers/sequential.h"

#include "attune/autograd/ops/activations.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

namespace {

struct Finder : Layer {
  LayerTensor query = param("query", {1, 8}, normal());
  Linear keys = child("keys", Linear(2, 8));
  LayerTensor seen = buffer("seen", {3}, zeros());
};

}  // namespace

TEST_CASE("a Sequential calls its layers and functions in order") {
  seed(1);
  const Linear first(3, 5), last(5, 2);
  const Sequential network(first, relu, Dropout(0.5), last, [](const Tensor& x) { return x * 2; });
  const Tensor x(Array::full({4, 3}, 0.5));
  const Eval eval;
  CHECK(network(x).value().to_vector() == (last(relu(first(x))) * 2).value().to_vector());
  CHECK(network.size() == 5);
  std::vector<std::string> names;
  for (const Param& param : network.parameters()) names.push_back(param.name);
  CHECK(names == std::vector<std::string>{"0.weight", "0.bias", "3.weight", "3.bias"});
  CHECK(network.parameters()[0].value.node().get() == first.weight().node().get());
}

TEST_CASE("a Sequential can be extended and nested, and is the identity if empty") {
  Sequential network;
  const Tensor x(Array::full({2, 3}, 1));
  CHECK(network(x).value().to_vector() == x.value().to_vector());
  network.append(Linear(3, 4));
  network.append(Sequential(make_activation("tanh"), Linear(4, 1)));
  CHECK(network(x).shape() == Shape({2, 1}));
  CHECK(network.parameters().back().name == "1.1.bias");
}

TEST_CASE("a summary shows type, shape and parameter count of each part, and the total") {
  Finder finder;
  finder.keys.requires_grad(false);
  CHECK(summary(finder) ==
        "name         type    shape       numbers\n"
        "             Finder                   32\n"
        "query                [1, 8]            8\n"
        "seen                 [3]               3  buffer\n"
        "keys         Linear                   24  frozen\n"
        "keys.weight          [8, 2]           16  frozen\n"
        "keys.bias            [8]               8  frozen\n"
        "32 parameters, of which 8 are trained and 24 frozen; 3 numbers in buffers\n");
}

TEST_CASE("a summary counts shared parameters once, as parameters() does") {
  struct Twice : Layer {
    Linear one = child("one", Linear(2, 2)), again = child("again", one);
  };
  const Twice twice;
  CHECK(twice.parameter_count() == 6);
  CHECK_THAT(summary(twice), contains("6 parameters, of which 6 are trained and 0 frozen"));
  CHECK_THAT(summary(Recurrent("gru", 2, 3)), contains("layer0.forward") && contains("GRUCell"));
}
