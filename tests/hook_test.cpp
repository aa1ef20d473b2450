#include <memory>

#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

namespace {

GradientHook times(double factor) {
  return [factor](const Array& g) { return (Tensor(g) * factor).value(); };
}

std::vector<float> gradient_of_sum(Tensor& x) {
  x.zero_grad();
  sum(x * 1).backward();
  return x.grad().to_vector();
}

}  // namespace

TEST_CASE("a removed hook is not called in the next pass, and the others are") {
  Tensor x = Tensor::parameter(Array::full({2}, 1));
  HookHandle twice = x.register_hook(times(2));
  HookHandle thrice = x.register_hook(times(3));
  CHECK(gradient_of_sum(x) == std::vector<float>{6, 6});
  twice.remove();
  CHECK(gradient_of_sum(x) == std::vector<float>{3, 3});
  twice.remove();  // once more is no error
  HookHandle().remove();
  x.register_hook(times(5));  // a handle may be discarded
  thrice.remove();
  CHECK(gradient_of_sum(x) == std::vector<float>{5, 5});
}

TEST_CASE("a hook may remove itself and others, and register more, while it is called") {
  Tensor x = Tensor::parameter(Array::full({1}, 1));
  int calls = 0;
  HookHandle once, late;
  once = x.register_hook([&](const Array& g) {
    ++calls;
    once.remove();
    late = x.register_hook(times(7));
    return g;
  });
  HookHandle other = x.register_hook(times(2));
  CHECK(gradient_of_sum(x) == std::vector<float>{2});
  CHECK(gradient_of_sum(x) == std::vector<float>{14});
  CHECK(calls == 1);
  other.remove();
  late.remove();
  CHECK(gradient_of_sum(x) == std::vector<float>{1});
}

TEST_CASE("removing a hook releases its captures, including its own tensor") {
  const auto token = std::make_shared<int>(1);
  HookHandle handle;
  {
    const Tensor x = Tensor::parameter(Array::full({1}, 1));
    Tensor y = x * 2;
    handle = y.register_hook([token, y](const Array& g) { return g; });
    CHECK(token.use_count() == 2);
    handle.remove();
    CHECK(token.use_count() == 1);
    handle = y.register_hook([token, y](const Array& g) { return g; });
    y.backward();  // frees the graph with its hooks
    CHECK(token.use_count() == 1);
    handle.remove();
    handle = y.register_hook([token](const Array& g) { return g; });
  }
  CHECK(token.use_count() == 1);  // gone with its tensor
  handle.remove();
}

TEST_CASE("removed hooks do not change a bit of the gradients") {
  const auto run = [](bool hooked) {
    Tensor x = Tensor::parameter(Array::full({5, 3}, 0.1));
    Tensor y = tanh(x);
    if (hooked) {
      HookHandle of_x = x.register_hook(times(2)), of_y = y.register_hook(times(2));
      of_x.remove();
      of_y.remove();
    }
    sum(square(y) + y[0]).backward();
    return x.grad().to_vector();
  };
  CHECK(run(true) == run(false));
}
