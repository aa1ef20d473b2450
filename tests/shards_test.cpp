#include "attune/autograd/shards.h"

#include <set>
#include <stdexcept>
#include <thread>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "catch.h"

using namespace attune;

namespace {

Array some(const Shape& shape, std::uint64_t seed) {
  Array x(shape, DType::f64);
  Generator(seed).uniform(x, -1, 1);
  return x;
}

// Restores the number of threads.
class Threads {
 public:
  explicit Threads(int count) : before_(threads()) { set_threads(count); }
  ~Threads() { set_threads(before_); }

 private:
  int before_;
};

}  // namespace

TEST_CASE("a loss in shards has the gradient and the value of the whole loss") {
  const Array x = some({12, 5}, 1);
  Tensor w = Tensor::parameter(some({3, 5}, 2)), b = Tensor::parameter(some({3}, 3));
  const auto loss_of = [&](const Array& rows) { return sum(square(tanh(linear(rows, w, b)))); };
  const Tensor whole = loss_of(x);
  whole.backward();
  const auto dw = w.grad().to_vector<double>(), db = b.grad().to_vector<double>();
  for (const std::int64_t shards : {1, 2, 3, 12}) {
    w.zero_grad();
    b.zero_grad();
    const std::int64_t rows = 12 / shards;
    const double loss =
        sharded_backward(shards, [&](std::int64_t i) { return loss_of(x.block(i * rows, rows)); });
    CHECK(loss == Approx(whole.item()));
    for (std::size_t i = 0; i < dw.size(); ++i)
      CHECK(w.grad().to_vector<double>()[i] == Approx(dw[i]));
    for (std::size_t i = 0; i < db.size(); ++i)
      CHECK(b.grad().to_vector<double>()[i] == Approx(db[i]));
  }
}

TEST_CASE("gradients of shards are added to existing gradients") {
  Tensor w = Tensor::parameter(Array::full({1}, 2));
  const auto step = [&] { sharded_backward(2, [&](std::int64_t i) { return w * (i + 1.0); }); };
  step();
  CHECK(w.grad().at(0) == 3);
  step();
  CHECK(w.grad().at(0) == 6);
}

TEST_CASE("each shard draws its own random numbers, the same on any thread") {
  const auto masks = [](int thread_count) {
    const Threads scope(thread_count);
    seed(5);
    Tensor w = Tensor::parameter(Array::full({64}, 1));
    std::vector<std::vector<float>> drawn(4);
    sharded_backward(4, [&](std::int64_t i) {
      const Tensor y = dropout(w, 0.5);
      drawn[static_cast<std::size_t>(i)] = y.value().to_vector();
      return sum(y);
    });
    drawn.push_back({static_cast<float>(generator().draws())});
    return drawn;
  };
  const auto one = masks(1);
  CHECK(std::set(one.begin(), one.end()).size() == 5);
  CHECK(one.back() == std::vector<float>{1});  // of the caller's draws
  for (const int count : {2, 3, 8}) CHECK(masks(count) == one);
}

TEST_CASE("modes of the caller apply in every shard") {
  const Threads scope(3);
  Tensor w = Tensor::parameter(Array::full({64}, 1));
  const Eval eval;
  const DefaultDType dtype(DType::f64);
  std::vector<int> as_the_caller(6);
  const double loss = sharded_backward(6, [&](std::int64_t i) {
    as_the_caller[static_cast<std::size_t>(i)] = DefaultDType::current() == DType::f64;
    return sum(dropout(w, 0.5));
  });
  CHECK(loss == 6 * 64);
  CHECK(as_the_caller == std::vector<int>(6, 1));
}

TEST_CASE("a hook on a parameter is called with the gradient of each shard") {
  const Threads scope(1);
  Tensor w = Tensor::parameter(Array::full({1}, 2));
  std::vector<double> seen;
  w.register_hook([&](const Array& gradient) {
    seen.push_back(gradient.at(0));
    return Array::full({1}, 10 * gradient.at(0));
  });
  sharded_backward(3, [&](std::int64_t i) { return w * (i + 1.0); });
  CHECK(seen == std::vector<double>{1, 2, 3});
  CHECK(w.grad().at(0) == 60);
}

TEST_CASE("nested and concurrent shards add up correctly") {
  const Threads scope(3);
  const auto gradient = [](double factor) {
    Tensor w = Tensor::parameter(Array::full({1}, 1));
    for (int step = 0; step < 50; ++step)
      sharded_backward(3, [&](std::int64_t i) {
        const Tensor own = Tensor::parameter(Array::full({1}, 1));
        sharded_backward(2, [&](std::int64_t j) { return own * (factor * (j + 1.0)); });
        return w * (factor * (i + 1.0)) + w * own.grad().at(0);
      });
    return w.grad().at(0);
  };
  std::vector<double> found(4);
  std::vector<std::thread> callers;
  for (std::size_t i = 0; i < found.size(); ++i)
    callers.emplace_back([&, i] { found[i] = gradient(static_cast<double>(i)); });
  for (std::thread& caller : callers) caller.join();
  for (std::size_t i = 0; i < found.size(); ++i)
    CHECK(found[i] == 50 * static_cast<double>(i) * (6 + 3 * 3));
}

TEST_CASE("an exception in a shard is rethrown, and no gradient is added") {
  const Threads scope(2);
  Tensor w = Tensor::parameter(Array::full({1}, 1));
  CHECK_THROWS_WITH(sharded_backward(3,
                                     [&](std::int64_t i) {
                                       if (i == 1) throw std::runtime_error("in the middle");
                                       return w * 1.0;
                                     }),
                    "in the middle");
  CHECK_FALSE(w.grad().defined());
  CHECK_THROWS_WITH(sharded_backward(0, [&](std::int64_t) { return w * 1.0; }),
                    "sharded_backward: 0 shards; at least 1 is needed");
}

TEST_CASE("there are at most four shards, of at least 16 rows each") {
  CHECK(suitable_shards(1) == 1);
  CHECK(suitable_shards(31) == 1);
  CHECK(suitable_shards(32) == 2);
  CHECK(suitable_shards(1000) == 4);
}

// Batches

TEST_CASE("a split batch keeps every sequence and drops unneeded padding") {
  const std::vector<Example> examples = {{{4, 5, 6, 7}, {6}}, {{8}, {4, 4, 4}}, {{7, 4}, {5}}};
  const std::vector<Batch> parts = shards_of(make_batch(examples), 2);
  REQUIRE(parts.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto alone =
        make_batch(i == 0 ? std::span(examples).first(1) : std::span(examples).last(2));
    INFO("part " << i);
    CHECK(parts[i].source.ids.shape() == alone.source.ids.shape());
    CHECK(parts[i].source.ids.to_vector() == alone.source.ids.to_vector());
    CHECK(parts[i].source.lengths.to_vector() == alone.source.lengths.to_vector());
    CHECK(parts[i].target_input.shape() == alone.target_input.shape());
    CHECK(parts[i].target_input.to_vector() == alone.target_input.to_vector());
    CHECK(parts[i].target_output.to_vector() == alone.target_output.to_vector());
    CHECK(parts[i].tokens == alone.tokens);
  }
  CHECK_THROWS_WITH(
      shards_of(make_batch(examples), 4),
      "shards_of: cannot split a batch of 3 sequences into 4 shards; expected 1 to 3");
}

TEST_CASE("a batch of a language model, which has no source, can be split") {
  Batch batch = make_batch(std::vector<Example>{{{4}, {6}}, {{4}, {4, 4, 4}}, {{4}, {5}}});
  const std::vector<Batch> expected = shards_of(batch, 2);
  batch.source = {};
  const std::vector<Batch> parts = shards_of(batch, 2);
  REQUIRE(parts.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK_FALSE(parts[i].source.ids.defined());
    CHECK(parts[i].target_input.to_vector() == expected[i].target_input.to_vector());
    CHECK(parts[i].target_output.to_vector() == expected[i].target_output.to_vector());
    CHECK(parts[i].tokens == expected[i].tokens);
  }
}

TEST_CASE("the gradients of shards are added up in a binary tree over their indices") {
  // In float32 the order shows: 1 is lost beside 2^24, two of them together are not.
  const float large = 16777216;
  Tensor w = Tensor::parameter(Array::full({1}, 1));
  const auto gradient_of = [&](const std::vector<float>& parts) {
    w.zero_grad();
    sharded_backward(static_cast<std::int64_t>(parts.size()), [&](std::int64_t i) {
      return sum(w * static_cast<double>(parts[static_cast<std::size_t>(i)]));
    });
    return w.grad().item();
  };
  CHECK(gradient_of({large, 0, 1, 1}) == large + 2);
  CHECK(gradient_of({large, 1, 0, 1}) == large);
  CHECK(gradient_of({large, 0, 1, 1, 1}) == large + 4);  // large + 2, and 1, rounded to even
  CHECK(gradient_of({large, 0, 0, 0, 1, 0, 1}) == large + 2);
}
