// Faults that were found by reading, each with the case that showed it.
#include <thread>

#include "attune/autograd/all.h"
#include "attune/autograd/ops/projected_input.h"
#include "catch.h"

using namespace attune;

TEST_CASE("memory allocated by one thread and freed by another does not accumulate") {
#if !defined(__SANITIZE_ADDRESS__)
  const auto hand_over = [] {
    Array made({1 << 20});
    std::thread([taken = std::move(made)] {}).join();
    Array freed;
    std::thread([&freed] { freed = Array({1 << 20}); }).join();
  };
  for (int i = 0; i < 5; ++i) hand_over();
  const auto before = pool::statistics().system_bytes;
  for (int i = 0; i < 50; ++i) hand_over();
  CHECK(pool::statistics().system_bytes < before + (16u << 20));
#endif
}

TEST_CASE("a block freed by another thread is reused by the thread that allocated it") {
#if !defined(__SANITIZE_ADDRESS__)
  constexpr int kBlocks = 40;
  std::vector<Array> blocks(kBlocks);
  const auto before = pool::statistics().system_bytes;
  std::thread([&] {
    for (int round = 0; round < 3; ++round) {
      for (Array& block : blocks) block = Array({50000});
      std::thread([&] {
        for (Array& block : blocks) block = Array();
        // While this thread is alive, the other thread cannot use its lists.
        const auto after = pool::statistics().system_bytes;
        std::thread([&] {
          for (Array& block : blocks) block = Array({50000});
        }).join();
        CHECK(pool::statistics().system_bytes == after);
      }).join();
    }
  }).join();
  CHECK(pool::statistics().system_bytes <= before + kBlocks * 50000 * 5);
#endif
}

TEST_CASE("a hook on a parameter is called by each of two nested backward passes") {
  Tensor w = Tensor::parameter(Array::full({1}, 2));
  Tensor inner_input = Tensor::parameter(Array::full({1}, 1));
  int calls = 0;
  w.register_hook([&](const Array& gradient) {
    ++calls;
    return gradient;
  });
  // While the outer pass has gathered w, another pass over w runs, as another thread's would.
  const Tensor inner = sum(w * 3.0);
  inner_input.register_hook([&](const Array& gradient) {
    backward(inner);
    return gradient;
  });
  sum(w * inner_input).backward();
  CHECK(calls == 2);
}

TEST_CASE("the gradient of a shared matrix over an empty batch is zero") {
  { Array(Shape{2, 3}).fill(7); }
  Tensor a = Tensor::parameter(Array::full({2, 3}, 1));
  const Tensor b(Array(Shape{0, 3, 4}));
  const Tensor y = matmul(a, b);
  y.backward(Array(y.shape()));
  CHECK(a.grad().to_vector() == std::vector<float>(6, 0));
}

TEST_CASE("a product of empty matrices is empty") {
  CHECK(matmul(Array(Shape{0, 3}), Array(Shape{3, 0})).shape() == Shape{0, 0});
}

TEST_CASE("backward detects a recurrent result that was changed in place") {
  const auto parameter = [](const Shape& shape) {
    Array values(shape);
    generator().uniform(values, -1, 1);
    return Tensor::parameter(values);
  };
  const RecurrentWeights weights{parameter({9, 2}), parameter({9, 3}), {}, {}};
  SequenceResult result = gru_sequence(parameter({4, 2, 2}), {}, weights);
  result.output.value().fill(5);
  CHECK_THROWS_WITH(sum(result.output).backward(), contains("changed in place"));
}

TEST_CASE("a cell with an input of size 0 is differentiable") {
  const auto parameter = [](const Shape& shape) {
    return Tensor::parameter(Array::full(shape, 0.5));
  };
  const Tensor x = parameter({2, 0}), h = parameter({2, 3});
  const RecurrentWeights weights{parameter({9, 0}), parameter({9, 3}), parameter({9}),
                                 parameter({9})};
  const Tensor known = parameter({2, 9});
  sum(gru_cell(x, h, weights)).backward();
  sum(recurrent_cell(kernels::Cell::gru, {x, {known, 0}}, {h, {}}, weights).h).backward();
  CHECK(x.grad().shape() == Shape{2, 0});
  CHECK(weights.bias_ih.grad().defined());
  CHECK(known.grad().defined());
}

TEST_CASE("the additive score accepts a query and keys that share memory") {
  Array q({2, 3}, DType::f64), v({3}, DType::f64);
  generator().uniform(q, -1, 1);
  generator().uniform(v, -1, 1);
  const GradcheckResult result = gradcheck(
      [](const std::vector<Tensor>& x) {
        return additive_score(x[0], reshape(x[0], {1, 2, 3}), x[1]);
      },
      {q, v});
  INFO(result.message);
  CHECK(result.ok);
}

TEST_CASE("a hook that returns no array or another dtype is an error") {
  Tensor w = Tensor::parameter(Array::full({}, 2));
  w.register_hook([](const Array&) { return Array(); });
  CHECK_THROWS_WITH((w * 2.0).backward(), contains("hook"));
  Tensor u = Tensor::parameter(Array::full({1}, 2));
  sum(u * 2.0).backward();
  u.register_hook([](const Array& gradient) { return gradient.to(DType::f64); });
  CHECK_THROWS_WITH(sum(u * 2.0).backward(), contains("hook"));
}

TEST_CASE("a hook on a leaf is called when backward starts at the leaf") {
  Tensor w = Tensor::parameter(Array::full({1}, 2));
  w.register_hook([](const Array& gradient) { return Array::full(gradient.shape(), 10); });
  w.backward();
  CHECK(w.grad().item() == 10);
}

TEST_CASE("a new gradient is moved into the leaf without a copy") {
  Tensor w = Tensor::parameter(Array::full({3}, 2));
  const void* made = nullptr;
  const Tensor y = record("probe", w.value().clone(), {w}, [&made](Grads& g) {
    Array gradient = Array::full({3}, 1);
    made = gradient.raw();
    g.add(0, std::move(gradient));
  });
  sum(y).backward();
  CHECK(w.grad().raw() == made);
}

TEST_CASE("an array of negative size is an error") {
  CHECK_THROWS_WITH(Array::zeros({-1, 3}), contains("negative"));
}

TEST_CASE("uniform numbers stay below their upper bound after rounding to float32") {
  Array values({1 << 18});
  Generator(1).uniform(values, 1000, 1001);
  for (const float value : values.to_vector())
    if (!(value < 1001)) FAIL("1001 is not below 1001");
}
