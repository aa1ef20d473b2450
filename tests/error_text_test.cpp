#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "attune/optim/all.h"
#include "catch.h"

using namespace attune;

namespace {

// An operation of a program's own, y = 2 x, whose backward passes on `gradient`.
Tensor twice(const Tensor& x, const Array& gradient) {
  return record("twice", (x * 2).value(), {x}, [gradient](Grads& g) { g.add(0, gradient); });
}

}  // namespace

TEST_CASE("a gradient of the wrong shape or dtype names its operation and input") {
  const Tensor x = Tensor::parameter(Array::full({2, 3}, 1));
  CHECK_THROWS_WITH(sum(twice(x, Array::full({3, 2}, 2))).backward(),
                    "backward of 'twice': the gradient of input 0 has the shape [3, 2], but the "
                    "input has [2, 3]; expected the input's shape, or one that it broadcasts to");
  CHECK_THROWS_WITH(sum(twice(x, Array::full({3}, 2))).backward(),
                    contains("backward of 'twice': the gradient of input 0 has the shape [3]"));
  CHECK_THROWS_WITH(sum(twice(x, Array::full({2, 3}, 2, DType::f64))).backward(),
                    "backward of 'twice': the gradient of input 0 is f64 [2, 3], but the input is "
                    "f32 [2, 3]; expected the input's dtype");
  CHECK_FALSE(x.grad().defined());
  sum(twice(x, Array::full({4, 2, 3}, 2))).backward();  // summed over the broadcast axis
  CHECK(x.grad().to_vector() == std::vector<float>(6, 8));
}

TEST_CASE("a loss computed from gradients is an error that says they have no history") {
  const Tensor x = Tensor::parameter(Array::full({2}, 3));
  const Gradients gradients = grad({sum(square(x))}, {x});
  CHECK_THROWS_WITH(
      sum(square(Tensor(gradients.at(x)))).backward(),
      contains("has no history") && contains("Gradients have no history of their own"));
}

TEST_CASE("an optimizer without parameters is an error with a hint") {
  struct Forgetful : Layer {
    Linear linear = Linear(2, 3);  // no child()
  };
  const std::string message =
      "optimizer: group 0 has no parameters; does the model make them with param(), and take in "
      "its layers with child()?";
  CHECK_THROWS_WITH(Adam(Forgetful().parameters()), message);
  for (const std::string& name : optimizer_names())
    CHECK_THROWS_WITH(make_optimizer(name, {}), message);
  const Tensor x = Tensor::parameter(Array::full({2}, 3));
  const std::vector<ParameterGroup<SGDOptions>> groups = {{{x}, {}}, {{}, {}}};
  CHECK_THROWS_WITH(SGD(groups), contains("group 1 has no parameters"));
}

TEST_CASE("a recurrent layer's error names the mismatched input") {
  const GRU network(3, 5);
  CHECK_THROWS_WITH(network(Array::zeros({4, 2, 7})),
                    "gru_sequence: x [4, 2, 7] has 7 features but weight_ih [15, 3] is for 3; the "
                    "last axis of x must be the size of the inputs that the weights were made for");
  CHECK_THROWS_WITH(network(Array::zeros({4, 2, 3}, DType::f64)),
                    "gru_sequence: x is f64, but the weights are f32; convert it with to()");
  CHECK_THROWS_WITH(network(Array::zeros({4, 3})), contains("x must be [T, B, D], time first"));
}
