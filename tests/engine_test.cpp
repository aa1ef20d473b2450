#include <cstring>
#include <limits>
#include <thread>

#include "attune/autograd/all.h"
#include "catch.h"

using namespace attune;

namespace {

using V = std::vector<float>;

Tensor leaf(const V& values) {
  return Tensor::parameter(Array::from(values, {static_cast<std::int64_t>(values.size())}));
}

V grad_of(const Tensor& x) { return x.grad().to_vector(); }

Array random_array(const Shape& shape, std::uint64_t seed) {
  Array x(shape);
  Generator(seed).normal(x, 0, 1);
  return x;
}

}  // namespace

TEST_CASE("gradients accumulate over backward calls until zero_grad()") {
  Tensor x = leaf({1, 2});
  CHECK_FALSE(x.grad().defined());
  sum(square(x)).backward();
  CHECK(grad_of(x) == V{2, 4});
  sum(x * 3).backward();
  CHECK(grad_of(x) == V{5, 7});
  x.zero_grad();
  CHECK_FALSE(x.grad().defined());
  sum(x).backward();
  CHECK(grad_of(x) == V{1, 1});
}

TEST_CASE("a tensor used several times gets the sum of the gradients") {
  Tensor x = leaf({2, 3});
  const Tensor y = x * x, z = y + y;  // 2 x^2
  sum(z * x + y).backward();          // 2 x^3 + x^2
  CHECK(grad_of(x) == V{28, 60});
}

TEST_CASE("gradients of two leaves never share memory") {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  sum(a + b).backward();
  a.grad().fill(7);
  CHECK(grad_of(b) == V{1, 1});
}

TEST_CASE("backward frees the graph, and a second call is an error that says so") {
  Tensor x = leaf({1, 2});
  const Tensor y = sum(exp(x));
  y.backward();
  REQUIRE_THROWS_WITH(y.backward(), contains("backward: the graph was freed by an earlier "
                                             "backward() at 'sum'") &&
                                        contains("retain_graph = true"));
  // A freed part is found below a part that is new.
  REQUIRE_THROWS_WITH((y * 2).backward(), contains("freed by an earlier backward() at 'sum'"));
}

TEST_CASE("a retained graph can be differentiated again") {
  Tensor x = leaf({1, 2});
  const Tensor y = sum(square(x));
  y.backward(true);
  y.backward(true);
  y.backward();
  CHECK(grad_of(x) == V{6, 12});
  CHECK_THROWS_AS(y.backward(), Error);
}

TEST_CASE("backward starts from a scalar, or from a gradient of the tensor's shape and dtype") {
  Tensor x = leaf({1, 2});
  CHECK_THROWS_WITH((x * 2).backward(),
                    "backward: the tensor of shape [2] is not one number; reduce it with sum() or "
                    "mean(), or pass the gradient to start from");
  CHECK_THROWS_WITH((x * 2).backward(Array::full({3}, 1)),
                    "backward: the gradient is f32 [3], the tensor f32 [2]; they must match");
  CHECK_THROWS_WITH((x * 2).backward(Array::full({2}, 1, DType::f64)),
                    "backward: the gradient is f64 [2], the tensor f32 [2]; they must match");
  CHECK_THROWS_WITH(Tensor(Array::full({1}, 2)).backward(),
                    contains("backward: the tensor of shape [1] has no history"));
  (x * 2).backward(Array::from<float>({1, 10}, {2}));
  CHECK(grad_of(x) == V{2, 20});
}

TEST_CASE("backward does not modify the gradient passed by the caller") {
  Tensor x = leaf({1, 2});
  const Array gradient = Array::from<float>({1, 10}, {2});
  const Tensor y = x * 2;
  (y + y).backward(gradient);
  x.backward(gradient);
  CHECK(gradient.to_vector() == V{1, 10});
  CHECK(grad_of(x) == V{5, 50});
}

TEST_CASE("detach() and NoGrad record no history") {
  Tensor x = leaf({1, 2});
  CHECK((x * 2).requires_grad());
  CHECK_FALSE((x * 2).detach().requires_grad());
  {
    const NoGrad no_grad;
    CHECK_FALSE((x * 2).requires_grad());
    CHECK_FALSE(x[0].requires_grad());
    { const NoGrad inner; }
    CHECK_FALSE(exp(x).requires_grad());
  }
  CHECK((x * 2).requires_grad());
  sum(x.detach() * x).backward();  // x as a constant once
  CHECK(grad_of(x) == V{1, 2});
}

TEST_CASE("results that do not depend on a parameter have no history") {
  const Tensor x(Array::full({2}, 1));
  CHECK_FALSE((x * 2 + exp(x)).requires_grad());
}

TEST_CASE("a hook on a leaf gets the complete gradient of the pass and can replace it") {
  Tensor x = leaf({1, 2});
  sum(x * 100).backward();
  V seen;
  x.register_hook([&](const Array& gradient) {
    seen = gradient.to_vector();
    return Array::full({2}, 0.5);
  });
  sum(x * 2 + x * 3).backward();
  CHECK(seen == V{5, 5});
  CHECK(grad_of(x) == V{100.5, 100.5});
}

TEST_CASE("a hook on an intermediate result changes the gradient passed to its inputs") {
  Tensor x = leaf({1, 2});
  Tensor y = x * 2;
  V seen;
  y.register_hook([&](const Array& gradient) {
    seen = gradient.to_vector();
    return Array::from<float>({10, 20}, {2});
  });
  sum(y * 3 + y).backward();
  CHECK(seen == V{4, 4});
  CHECK(grad_of(x) == V{20, 40});
}

TEST_CASE("a hook on a view gets only the view's gradient") {
  Tensor x = Tensor::parameter(Array::zeros({2, 2}));
  Tensor row = x[1];
  V seen;
  row.register_hook([&](const Array& gradient) {
    seen = gradient.to_vector();
    return Array::full({2}, 7);
  });
  sum(row * 3 + x[1] * 100).backward();
  CHECK(seen == V{3, 3});
  CHECK(grad_of(x) == V{0, 0, 107, 107});
}

TEST_CASE("a hook that returns another shape, or on a tensor without gradient, is an error") {
  Tensor x = leaf({1, 2});
  x.register_hook([](const Array&) { return Array::full({3}, 1); });
  CHECK_THROWS_WITH(sum(x).backward(),
                    "gradient hook of 'leaf': it returned f32 [3]; expected f32 [2]");
  Tensor constant(Array::full({2}, 1));
  CHECK_THROWS_WITH(constant.register_hook([](const Array& g) { return g; }),
                    contains("register_hook: the tensor of shape [2] has no gradient"));
}

TEST_CASE("retain_grad keeps the gradient of an intermediate result or a view") {
  Tensor x = leaf({1, 2});
  Tensor y = x * 2, first = x[0];
  y.retain_grad();
  first.retain_grad();
  (sum(square(y)) + first).backward();
  CHECK(grad_of(y) == V{4, 8});
  CHECK(grad_of(first) == V{1});
  CHECK(grad_of(x) == V{9, 16});
  CHECK_THROWS_WITH(Tensor(Array::full({2}, 1)).retain_grad(), contains("has no history"));
}

TEST_CASE("a retained gradient accumulates over passes without being propagated twice") {
  Tensor x = leaf({1, 2});
  Tensor y = x + 0, z = y * 2;
  y.retain_grad();
  z.retain_grad();
  const Tensor loss = sum(z);
  loss.backward(true);
  loss.backward(true);
  CHECK(grad_of(z) == V{2, 2});
  CHECK(grad_of(y) == V{4, 4});
  CHECK(grad_of(x) == V{4, 4});
}

TEST_CASE("gradients of views are added at their offsets, whatever else uses the base") {
  Tensor x = Tensor::parameter(Array::zeros({4, 2}));
  const Tensor loss = sum(x[1] * 2) + sum(x[3] * 3) + sum(x[1] * 5) + sum(slice(x, 0, 2, 4) * 10) +
                      sum(reshape(x, {2, 4}) * 100);
  loss.backward();
  CHECK(grad_of(x) == V{100, 100, 107, 107, 110, 110, 113, 113});
}

TEST_CASE("a view of a view of an intermediate result is differentiable") {
  Tensor x = Tensor::parameter(Array::zeros({3, 2, 2}));
  const Tensor y = x * 2;
  (sum(y[2][1] * 3) + sum(y[2])).backward();
  CHECK(grad_of(x) == V{0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 8, 8});
}

TEST_CASE("changing a value saved for backward in place is an error") {
  Tensor x = leaf({1, 2}), w = leaf({3, 4});
  const Tensor loss = sum(x * w);
  x.value().fill(9);
  CHECK_THROWS_WITH(loss.backward(),
                    "backward: a value of shape [2] saved for it was changed in place (version 1, "
                    "now 2); change it after backward, or work on a clone()");
}

TEST_CASE("an in-place change is allowed if backward does not need the value") {
  Tensor x = leaf({1, 2});
  const Tensor loss = sum(x + x);
  x.value().fill(9);
  CHECK_NOTHROW(loss.backward());
}

TEST_CASE("CheckFinite names the operation that produced the first NaN") {
  Tensor x = leaf({1, -1});
  CHECK_NOTHROW(log(x));
  const CheckFinite check;
  CHECK_THROWS_WITH(exp(log(x)), contains("log: its result of shape [2] holds NaN or infinity"));
}

TEST_CASE("an operation with several results may get gradients for only some of them") {
  Tensor x = leaf({1, 2, 3});
  const auto run = [&](bool first, bool second) {
    x.zero_grad();
    const std::vector<Tensor> both =
        record("both", {x.value().clone(), x.value().clone()}, {x}, [](Grads& g) {
          const double a = g.has_dy(0) ? 1 : 0, b = g.has_dy(1) ? 10 : 0;
          g.add(0, Array::full({3}, a + b + g.dy(0).at(0) * 100 + g.dy(1).at(0) * 1000));
        });
    Tensor loss(Array::zeros({}));
    if (first) loss = loss + sum(both[0]);
    if (second) loss = loss + sum(both[1]);
    loss.backward();
    return grad_of(x)[0];
  };
  CHECK(run(true, false) == 101);
  CHECK(run(false, true) == 1010);
  CHECK(run(true, true) == 1111);
}

TEST_CASE("a graph of a million operations is built, differentiated and destroyed") {
  Tensor x = leaf({0.5f});
  {
    Tensor y = x;
    for (int i = 0; i < 1000000; ++i) y = y + x;
    y.backward();
    CHECK(grad_of(x) == V{1000001});
  }
  Tensor never_differentiated = x;
  for (int i = 0; i < 1000000; ++i) never_differentiated = never_differentiated * 1.0;
  never_differentiated = Tensor();
  SUCCEED("released without recursion");
}

TEST_CASE("a graph with exponentially many paths is traversed once") {
  Tensor x = leaf({1});
  Tensor y = x;
  for (int i = 0; i < 60; ++i) y = (y + y) * 0.5;  // 2^60 paths
  y.backward();
  CHECK(grad_of(x) == V{1});
}

TEST_CASE("two threads with their own gradients are bitwise equal to one thread") {
  const Tensor w = Tensor::parameter(random_array({17, 33}, 1));
  const Tensor b = Tensor::parameter(random_array({17}, 2));
  const Array x = random_array({2, 50, 33}, 3);
  const auto half = [&](std::int64_t i, Gradients& gradients) {
    gradients = backward(mean(square(tanh(linear(x[i], w, b)))));
  };
  const auto gradients = [&](bool two_threads) {
    Tensor(w).zero_grad();
    Tensor(b).zero_grad();
    Gradients first, second;
    if (two_threads) {
      std::thread other([&] { half(1, second); });
      half(0, first);
      other.join();
    } else {
      half(0, first);
      half(1, second);
    }
    CHECK_FALSE(w.grad().defined());
    first.add(std::move(second));
    first.add_to_parameters();
    V all = grad_of(w);
    for (const float v : grad_of(b)) all.push_back(v);
    return all;
  };
  const V serial = gradients(false), threaded = gradients(true);
  CHECK(serial == threaded);

  Tensor(w).zero_grad();
  (mean(square(tanh(linear(x, w, b)))) * 2).backward();  // both halves at once
  const V whole = grad_of(w);
  for (std::size_t i = 0; i < whole.size(); ++i)
    REQUIRE(serial[i] == Approx(whole[i]).margin(1e-6));
}

TEST_CASE("backward() can return gradients without changing those of the parameters") {
  Tensor w = leaf({1, 2, 3}), b = leaf({4, 5, 6}), unused = leaf({7});
  sum(w).backward();
  const Gradients gradients = backward(sum(w * b));
  CHECK(gradients.size() == 2);
  CHECK(gradients.at(w).to_vector() == V{4, 5, 6});
  CHECK(gradients.at(b).to_vector() == V{1, 2, 3});
  CHECK(gradients.find(unused) == nullptr);
  CHECK_THROWS_WITH(gradients.at(unused), contains("none for the tensor of shape [1]"));
  CHECK(grad_of(w) == V{1, 1, 1});
  CHECK_FALSE(b.grad().defined());
}

TEST_CASE("returned gradients can be summed and added to the parameters") {
  Tensor w = leaf({1, 2}), b = leaf({3, 4});
  Gradients gradients = backward(sum(square(w)));
  gradients.add(backward(sum(w * b)));
  CHECK(gradients.at(w).to_vector() == V{5, 8});
  sum(w).backward();
  const Array kept = w.grad();
  gradients.add_to_parameters();
  CHECK(gradients.size() == 0);
  CHECK(grad_of(w) == V{6, 9});
  CHECK(grad_of(b) == V{1, 2});
  CHECK(kept.to_vector() == V{1, 1});
}

TEST_CASE("grad() gives the gradients of several outputs with respect to any tensors") {
  Tensor w = leaf({1, 2}), b = leaf({3, 4});
  const Tensor y = w * b, z = square(y);
  Tensor retained = y;
  retained.retain_grad();
  const Gradients gradients = grad({z, y}, {w, y, z});
  CHECK(gradients.size() == 3);
  CHECK(gradients.at(z).to_vector() == V{1, 1});
  CHECK(gradients.at(y).to_vector() == V{7, 17});  // 2 y + 1
  CHECK(gradients.at(w).to_vector() == V{21, 68});
  CHECK(gradients.find(b) == nullptr);
  CHECK_FALSE(retained.grad().defined());
  CHECK_FALSE(w.grad().defined());
  CHECK_THROWS_WITH(grad({sum(w)}, {Tensor(Array::full({2}, 1))}), contains("a constant"));
}

TEST_CASE("grad() of views that share memory is bitwise equal to backward()") {
  Tensor w = leaf({1, 2, 3, 4});
  const auto loss = [&](Tensor& base) {
    base = w * 0.1;
    const Tensor left = slice(base, 0, 0, 2), right = slice(base, 0, 2, 4);
    return sum(left * right) + sum(square(left)) + sum(left * 0.3);
  };
  Tensor base, again;
  loss(base).backward();
  const Tensor root = loss(again);
  const Gradients gradients = grad({root, again}, {w, again});
  const V first = grad_of(w), both = gradients.at(w).to_vector();
  for (std::size_t i = 0; i < 4; ++i) CHECK(both[i] == Approx(first[i] + 0.1f));
  CHECK(gradients.at(again).elements() == 4);
}

TEST_CASE("an error in a pass leaves every gradient unchanged") {
  Tensor w = leaf({1, 2});
  sum(w).backward();
  Tensor y = w * 2.0;
  y.retain_grad();
  const Tensor bad = record("bad", y.value().clone(), {y}, [](Grads& g) {
    g.add(0, g.dy().clone());
    fail("bad: on purpose");
  });
  CHECK_THROWS_WITH((sum(bad) + sum(w * 3.0)).backward(), contains("on purpose"));
  CHECK(grad_of(w) == V{1, 1});
  CHECK_FALSE(y.grad().defined());
}

// A decoder's step after step, whose rows are put below each other (AffineGradients).
TEST_CASE(
    "a weight that few rows at a time are multiplied by has the gradient of all rows at once") {
  constexpr std::int64_t kSteps = 12, kRows = 70;  // more than one product's worth
  const Array x = random_array({kSteps, kRows, 5}, 3);
  const auto gradients = [&](bool step_by_step, bool hook) {
    Tensor w = Tensor::parameter(random_array({3, 7}, 1));
    Tensor b = Tensor::parameter(random_array({3}, 2));
    int calls = 0;
    if (hook)
      w.register_hook([&](const Array& gradient) {
        ++calls;
        return gradient;
      });
    Tensor total = Array::zeros({});
    if (step_by_step)
      for (std::int64_t t = 0; t < kSteps; ++t) total = total + sum(square(linear(x[t], w, b, 2)));
    else
      total = sum(square(linear(x, w, b, 2)));
    total.backward();
    total = Tensor();
    CHECK(calls == (hook ? 1 : 0));
    V all = grad_of(w);
    for (const float v : grad_of(b)) all.push_back(v);
    return all;
  };
  const V whole = gradients(false, false);
  for (const bool hook : {false, true}) {
    const V steps = gradients(true, hook);
    REQUIRE(steps.size() == whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i)
      CHECK(steps[i] == Approx(whole[i]).epsilon(1e-4).margin(1e-4));
  }
}

TEST_CASE("weights without rows, columns or outputs have gradients of zeros") {
  const auto gradients_of = [](const Shape& x, const Shape& weight) {
    const Tensor w = Tensor::parameter(Array::full(weight, 1));
    const Tensor b = Tensor::parameter(Array::full({weight[0]}, 1));
    for (int use = 0; use < 2; ++use) sum(linear(Array::full(x, 1), w, b)).backward();
    REQUIRE((w.grad().defined() && b.grad().defined()));
    V all = grad_of(w);
    for (const float v : grad_of(b)) all.push_back(v);
    return all;
  };
  CHECK(gradients_of({0, 2}, {1, 2}) == V{0, 0, 0});
  CHECK(gradients_of({3, 0}, {1, 0}) == V{6});
  CHECK(gradients_of({1000, 4}, {0, 4}).empty());
}

TEST_CASE("collected rows are kept separate by weight, bias, columns and pass") {
  const Array x = random_array({4, 3, 2}, 1);
  Tensor w = Tensor::parameter(random_array({5, 6}, 2));
  Tensor a = Tensor::parameter(random_array({5}, 3)), b = Tensor::parameter(random_array({5}, 4));
  const Tensor frozen(random_array({5, 6}, 5));
  const auto loss_of = [&](const auto& bias_of, const auto& column_of) {
    Tensor total = Array::zeros({});
    for (std::int64_t t = 0; t < 4; ++t)
      total = total + sum(square(linear(x[t], w, bias_of(t), column_of(t)))) +
              sum(square(linear(x[t], frozen, bias_of(t), column_of(t))));
    return total;
  };
  const auto bias_of = [&](std::int64_t t) { return t % 2 ? a : b; };
  const auto column_of = [](std::int64_t t) { return t < 2 ? 0 : 3; };
  const auto all = [&] {
    V numbers = grad_of(w);
    for (const Tensor& bias : {a, b})
      for (const float v : grad_of(bias)) numbers.push_back(v);
    for (Tensor* parameter : {&w, &a, &b}) parameter->zero_grad();
    return numbers;
  };
  const Tensor loss = loss_of(bias_of, column_of);
  loss.backward(/*retain_graph=*/true);
  const V once = all();
  loss.backward(true);
  loss.backward(true);
  const V twice = all();
  w.register_hook([](const Array& gradient) { return gradient; });  // disables collecting
  loss.backward();
  const V at_once = all();
  for (std::size_t i = 0; i < once.size(); ++i) {
    CHECK(twice[i] == Approx(2 * once[i]).margin(1e-6));
    CHECK(at_once[i] == Approx(once[i]).epsilon(1e-5).margin(1e-6));
  }
}

TEST_CASE("operands of different dtypes are an error") {
  const Tensor a(Array::zeros({2})), b(Array::zeros({2}, DType::f64));
  CHECK_THROWS_WITH(a + b, "add: dtypes differ: f32 [2] and f64 [2]; convert one with to()");
  CHECK_THROWS_WITH(a.value().data<double>(),
                    contains("the values of shape [2] are f32, but f64 was requested"));
}

TEST_CASE("float64 stays float64 in forward and backward") {
  Tensor x = Tensor::parameter(Array::full({2}, 1, DType::f64));
  const Tensor y = mean(tanh(x * 2 + 1));
  CHECK(y.dtype() == DType::f64);
  y.backward();
  CHECK(x.grad().dtype() == DType::f64);
}

TEST_CASE("an undefined tensor in an operation is an error, not a crash") {
  CHECK_THROWS_WITH(tanh(Tensor()), contains("is not defined"));
  CHECK_THROWS_WITH(Tensor() + Tensor(), contains("is not defined"));
}

TEST_CASE("gradcheck detects a wrong gradient and reports its position") {
  const auto wrong = [](const std::vector<Tensor>& x) {
    Array y = x[0].value().clone();
    return record("wrong", y, {x[0]}, [](Grads& g) {
      Array dx = g.dy().clone();
      dx.set(2, dx.at(2) * 2);
      g.add(0, dx);
    });
  };
  const GradcheckResult result =
      gradcheck(std::function<Tensor(const std::vector<Tensor>&)>(wrong), {Array::full({4}, 1)});
  CHECK_FALSE(result.ok);
  CHECK_THAT(result.message, contains("input 0 of shape [4], index 2: backward gives"));
}

TEST_CASE("observing an empty view next to a whole one does not change a bit") {
  // Gradients of -0, which +0 would turn into 0.
  const auto gradient = [](bool observed) {
    const Tensor x = Tensor::parameter(Array::full({1, 3}, 2));
    const std::vector<Tensor> parts = split(concat({x}, 1), {0, 1});
    const Tensor whole = parts[1] * Tensor(Array::from<float>({-0.0F, -0.0F, -0.0F}, {1, 3}));
    const Tensor empty = exp(parts[0]);  // newer: backward begins with it
    const Tensor loss = sum(whole) + sum(empty);
    for (Tensor part : parts)
      if (observed) part.register_hook([](const Array& dy) { return dy; });
    loss.backward();
    return x.grad();
  };
  const Array plain = gradient(false), observed = gradient(true);
  CHECK(std::memcmp(plain.raw(), observed.raw(), plain.bytes()) == 0);
}
