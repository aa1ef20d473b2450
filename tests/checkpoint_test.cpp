#include "attune/train/checkpoint.h"

#include "attune/layers/layer_norm.h"
#include "attune/optim/adam.h"
#include "attune/train/safetensors.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

struct Inner : Layer {
  explicit Inner(double value) : weight(param("weight", {2, 3}, constant(value))) {}
  Tensor weight;
};

struct Outer : Layer {
  explicit Outer(double value)
      : scale(param("scale", {2}, constant(value + 1))), inner(child("inner", Inner(value))) {}
  Tensor scale;
  Inner inner;
};

}  // namespace

TEST_CASE("parameters are saved and loaded by their nested names") {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  save_parameters(path, Outer(3));
  Outer other(0);
  load_parameters(path, other);
  REQUIRE(other.scale.value().to_vector() == std::vector<float>(2, 4));
  REQUIRE(other.inner.weight.value().to_vector() == std::vector<float>(6, 3));
  const Safetensors content = load_safetensors(path);
  REQUIRE(content.arrays.size() == 2);
  REQUIRE(content.arrays[0].first == "scale");
  REQUIRE(content.arrays[1].first == "inner.weight");
}

TEST_CASE("a LayerNorm of an earlier version, whose weight was called gain, is read") {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  const Array weight = Array::from(std::vector<float>{1, 2, 3}, {3}),
              bias = Array::from(std::vector<float>{4, 5, 6}, {3});
  for (const std::string name : {"gain", "weight"}) {
    save_safetensors(path, {{{name, weight}, {"bias", bias}}, {}});
    LayerNorm norm(3);
    load_parameters(path, norm);
    REQUIRE(norm.values()[0].second.to_vector() == std::vector<float>{1, 2, 3});
    REQUIRE(norm.values()[1].second.to_vector() == std::vector<float>{4, 5, 6});
  }
}

TEST_CASE("parameters of another model are rejected with the path") {
  const TemporaryFolder folder;
  const std::string path = folder.path("model.safetensors");
  save_parameters(path, Outer(3));
  Inner inner(0);
  REQUIRE_THROWS_WITH(load_parameters(path, inner), contains("(in '" + path + "')"));
  REQUIRE(inner.weight.value().to_vector() == std::vector<float>(6, 0));
}

TEST_CASE("an optimizer's state is saved to and loaded from a safetensors file") {
  const TemporaryFolder folder;
  const std::string path = folder.path("optimizer.safetensors");
  Outer model(1);
  Adam first(model.parameters());
  model.scale.backward(Array::full({2}, 0.3));
  first.step();
  save_safetensors(path, {first.state(), {}});

  Adam second(model.parameters());
  second.load_state(load_safetensors(path).arrays);
  const NamedArrays expected = first.state(), found = second.state();
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    REQUIRE(found[i].first == expected[i].first);
    REQUIRE(found[i].second.to_vector<double>() == expected[i].second.to_vector<double>());
  }
}
