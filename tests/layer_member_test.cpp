#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/layers/all.h"
#include "attune/optim/sgd.h"
#include "attune/train/checkpoint.h"
#include "attune/train/parameter_copy.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

struct Head : Layer {
  LayerTensor scale = param("scale", {2}, ones());
  Linear out = child("out", Linear(3, 2));
  Tensor operator()(const Tensor& x) const { return out(x) * scale; }
};

struct Model : Layer {
  Linear trunk = child("trunk", Linear(4, 3));
  Head head = child("head", Head());
  Tensor operator()(const Tensor& x) const { return head(trunk(x)); }
};

// Counts its calls and keeps the mean of its inputs.
struct Watch : Layer {
  LayerTensor mean = buffer("mean", {3}, zeros());
  LayerTensor count = buffer("count", {1}, zeros());
  Linear linear = child("linear", Linear(3, 3));
  Tensor operator()(const Tensor& x) const {
    Array kept = mean.value(), times = count.value();
    times.set(0, times.at(0) + 1);
    for (std::int64_t i = 0; i < 3; ++i)
      kept.set(i, kept.at(i) + (x.value().at(i) - kept.at(i)) / times.at(0));
    return linear(x - Tensor(kept));
  }
};

std::vector<std::string> names(const std::vector<Param>& params) {
  std::vector<std::string> all;
  for (const Param& param : params) all.push_back(param.name);
  return all;
}

std::vector<float> value(const Layer& layer, const std::string& name) {
  for (const auto& [known, array] : layer.values())
    if (known == name) return array.to_vector();
  return {};
}

// Whether training changes what the layer computes, and not only what it lists.
bool learns_what_it_lists(const Model& model) {
  const Tensor x(Array::full({1, 4}, 1));
  const std::vector<float> before = model(x).value().to_vector();
  SGD optimizer(model.parameters(), {.learning_rate = 0.1});
  sum(square(model(x))).backward();
  for (const Param& param : model.parameters())
    if (!param.value.grad().defined()) return false;
  optimizer.step();
  optimizer.zero_grad();
  return model(x).value().to_vector() != before;
}

}  // namespace

TEST_CASE("assigning to a child member replaces the layer's child") {
  seed(1);
  Model model;
  model.trunk = Linear(4, 3, /*bias=*/false);
  CHECK(names(model.parameters()) ==
        std::vector<std::string>{"trunk.weight", "head.scale", "head.out.weight", "head.out.bias"});
  CHECK(model.parameters()[0].value.node().get() == model.trunk.weight().node().get());
  CHECK(learns_what_it_lists(model));

  model.head = Head();
  model.head.out = Linear(3, 2, /*bias=*/false);  // a child of one that was assigned over itself
  model.head.scale = Tensor::parameter(Array::full({2}, 5));
  CHECK(names(model.parameters()) ==
        std::vector<std::string>{"trunk.weight", "head.scale", "head.out.weight"});
  CHECK(value(model, "head.scale") == std::vector<float>{5, 5});
  CHECK(learns_what_it_lists(model));
}

TEST_CASE("assigning to a parameter member replaces the layer's parameter") {
  Head head;
  head.scale = Tensor::parameter(Array::full({3}, 7));
  CHECK(value(head, "scale") == std::vector<float>{7, 7, 7});
  CHECK(head.parameters()[0].value.node().get() == head.scale.node().get());
  CHECK_THROWS_WITH(
      head.scale = Tensor(Array::full({2}, 1)),
      contains("the parameter 'scale' is assigned a tensor of shape [2] that is none"));
  Watch watch;
  watch.mean = Tensor(Array::full({3}, 2));
  CHECK(value(watch, "mean") == std::vector<float>{2, 2, 2});
  CHECK_THROWS_WITH(watch.mean = Tensor::parameter(Array::full({3}, 1)),
                    contains("the buffer 'mean'") && contains("detach()"));
}

TEST_CASE("one tensor assigned to two members is one parameter") {
  Head a;
  struct Pair : Layer {
    Head first = child("first", Head()), second = child("second", Head());
  } pair;
  pair.second.scale = pair.first.scale;
  CHECK(names(pair.parameters()) == std::vector<std::string>{"first.scale", "first.out.weight",
                                                             "first.out.bias", "second.out.weight",
                                                             "second.out.bias"});
}

TEST_CASE("assigning to a child or parameter of a layer that has copies is an error") {
  Model model;
  const Tensor weight = model.trunk.weight();
  {
    const Model copy = model;
    CHECK_THROWS_WITH(model.trunk = Linear(4, 3),
                      contains("a child is assigned over while copies"));
    CHECK_THROWS_WITH(model.head.scale = Tensor::parameter(Array::full({2}, 1)),
                      contains("'scale' is assigned over while copies"));
    CHECK(model.trunk.weight().node().get() == weight.node().get());
  }
  model.trunk = Linear(4, 3);  // the copy is gone
  CHECK(model.trunk.weight().node().get() != weight.node().get());
}

TEST_CASE("assigning to a layer that is not a child leaves its copies unchanged") {
  Linear one(3, 2), copy = one;
  one = Linear(5, 2);
  CHECK(one.parameters()[0].value.shape() == Shape({2, 5}));
  CHECK(copy.parameters()[0].value.shape() == Shape({2, 3}));
}

TEST_CASE("buffers are saved, loaded and copied but not trained") {
  const TemporaryFolder folder;
  const std::string path = folder.path("watch.safetensors");
  const Watch watch;
  watch(Array::from(std::vector<float>{2, 4, 6}, {3}));
  watch(Array::from(std::vector<float>{4, 8, 0}, {3}));
  CHECK(names(watch.buffers()) == std::vector<std::string>{"mean", "count"});
  CHECK(names(watch.parameters()) == std::vector<std::string>{"linear.weight", "linear.bias"});
  CHECK(watch.parameter_count() == 12);
  CHECK(value(watch, "mean") == std::vector<float>{3, 6, 3});
  CHECK_FALSE(watch.mean.requires_grad());

  save_parameters(path, watch);
  Watch other;
  load_parameters(path, other);
  CHECK(value(other, "mean") == std::vector<float>{3, 6, 3});
  CHECK(other.mean.value().to_vector() == std::vector<float>{3, 6, 3});

  ParameterCopy best(watch);
  best.take();
  watch(Array::full({3}, 100));
  best.restore();
  CHECK(value(watch, "count") == std::vector<float>{2});
  NamedArrays without = watch.values();
  without.erase(without.begin());
  CHECK_THROWS_WITH(other.load(without), contains("no value is given for mean"));
}

TEST_CASE("clone() copies a layer with its own parameters and buffers of the same values") {
  seed(2);
  Watch watch;
  watch(Array::full({3}, 1));
  watch.requires_grad("linear.bias", false);
  const std::uint64_t draws = generator().draws();
  Watch twin = clone(watch);
  CHECK(generator().draws() == draws);
  REQUIRE(twin.values().size() == watch.values().size());
  for (std::size_t i = 0; i < watch.values().size(); ++i) {
    CHECK(twin.values()[i].second.to_vector() == watch.values()[i].second.to_vector());
    CHECK_FALSE(twin.values()[i].second.shares_memory_with(watch.values()[i].second));
  }
  CHECK(twin.parameters()[0].value.requires_grad());
  CHECK_FALSE(twin.parameters()[1].value.requires_grad());
  twin(Array::full({3}, 9));
  CHECK(value(watch, "count") == std::vector<float>{1});

  twin.linear = Linear(3, 3);  // allowed: a clone is not a copy
  const Linear linear = [] {
    const DefaultDType f64(DType::f64);
    return Linear(3, 2, false);
  }();
  CHECK(clone(linear, 3, 2, false).weight().dtype() == DType::f64);
  CHECK_THROWS_WITH(clone(linear, 3, 4, false), contains("'weight' has shape [4, 3]"));
}
