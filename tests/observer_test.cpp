#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "attune/attune.h"
#include "catch.h"

// Hooks, retain_grad() and CheckFinite look on: a run with them ends with the same bits as one
// without.
using namespace attune;

namespace {

enum class Observer { none, hooks, retain, both, check_finite };

constexpr Observer kObservers[] = {Observer::hooks, Observer::retain, Observer::both,
                                   Observer::check_finite};

const Tensor& observe(Observer observer, const Tensor& x) {
  if (!x.requires_grad()) return x;
  Tensor same = x;
  if (observer == Observer::hooks || observer == Observer::both)
    same.register_hook([](const Array& gradient) { return gradient; });
  if ((observer == Observer::retain || observer == Observer::both)) same.retain_grad();
  return x;
}

Tensor random_parameter(const Shape& shape) {
  Array values(shape);
  generator().normal(values, 0, 1);
  return Tensor::parameter(std::move(values));
}

using See = std::function<Tensor(const Tensor&)>;

// The gradients that a program leaves in its parameters.
std::vector<Array> gradients(const std::vector<Shape>& shapes,
                             const std::function<void(const std::vector<Tensor>&, const See&)>& run,
                             Observer observer) {
  seed(7);
  std::vector<Tensor> parameters;
  for (const Shape& shape : shapes) parameters.push_back(random_parameter(shape));
  const CheckFinite check(observer == Observer::check_finite);
  for (const Tensor& parameter : parameters) observe(observer, parameter);
  run(parameters, [&](const Tensor& x) { return observe(observer, x); });
  std::vector<Array> result;
  for (const Tensor& parameter : parameters) result.push_back(parameter.grad());
  return result;
}

void check_same_bits(const std::vector<Shape>& shapes,
                     const std::function<void(const std::vector<Tensor>&, const See&)>& run) {
  const std::vector<Array> alone = gradients(shapes, run, Observer::none);
  for (const Observer observer : kObservers) {
    const std::vector<Array> observed = gradients(shapes, run, observer);
    for (std::size_t i = 0; i < alone.size(); ++i) {
      REQUIRE(alone[i].defined() == observed[i].defined());
      if (alone[i].defined())
        REQUIRE(std::memcmp(alone[i].raw(), observed[i].raw(), alone[i].bytes()) == 0);
    }
  }
}

using Leaves = const std::vector<Tensor>&;

}  // namespace

TEST_CASE("observing views does not change a bit, whatever else uses their base") {
  // Numbers of very different sizes, so that another order of sums gives other bits.
  const auto mix = [](const Tensor& x, double factor) { return square(x) * factor; };
  SECTION("steps of a sequence, each used several times") {
    check_same_bits({{5, 3, 7}}, [&](Leaves p, const See& see) {
      const Tensor x = see(p[0] * 1.5);
      Tensor total = see(Array::zeros({3, 7}));
      for (const int t : {0, 1, 2, 3, 4}) {
        const Tensor step = see(x[t]);
        total = see(total + mix(step, 1e3) + mix(step, 0.3) + exp(step));
      }
      sum(total).backward();
    });
  }
  SECTION("steps and the whole") {
    check_same_bits({{5, 3, 7}}, [&](Leaves p, const See& see) {
      const Tensor x = see(p[0] * 1.5);
      Tensor total = see(sum(mix(x, 7)));
      for (const int t : {3, 1, 4, 0}) total = total + sum(mix(see(x[t]), 0.1) + exp(x[t]));
      (total + sum(exp(see(x)))).backward();
    });
  }
  SECTION("slices that overlap, views of views, and shapes of shapes") {
    check_same_bits({{8, 6}}, [&](Leaves p, const See& see) {
      const Tensor x = see(p[0] * 1.5);
      const Tensor a = see(slice(x, 0, 0, 5)), b = see(slice(x, 0, 3, 8));
      const Tensor c = see(reshape(a, {6, 5})), d = see(slice(c, 0, 1, 4));
      const Tensor e = see(reshape(x, {48})), f = see(e[7]);
      (sum(mix(a, 11)) + sum(mix(b, 0.7)) + sum(exp(c)) + sum(mix(d, 13)) + sum(mix(e, 0.01)) +
       sum(exp(f)) + sum(mix(d, 0.9)) + sum(exp(x)))
          .backward();
    });
  }
  SECTION("views of a parameter itself") {
    check_same_bits({{4, 6}}, [&](Leaves p, const See& see) {
      const Tensor a = see(p[0][1]), b = see(reshape(p[0], {24}));
      (sum(mix(a, 3)) + sum(exp(a)) + sum(mix(b, 0.2)) + sum(exp(p[0]))).backward();
    });
  }
}

TEST_CASE("observing parameters does not change a bit") {
  SECTION("of products whose rows wait for more") {
    check_same_bits({{6, 5}, {6}, {3, 5}}, [](Leaves p, const See& see) {
      Tensor x = see(p[2] * 1.0);
      for (int step = 0; step < 7; ++step) {
        const Tensor y = see(linear(x, p[0], p[1]));
        x = see(tanh(slice(y, -1, 0, 5)) + sum(p[1]) * 0.1);
      }
      (sum(square(x)) + sum(exp(p[0]))).backward();
    });
  }
  SECTION("over several passes that add up") {
    check_same_bits({{40, 3}, {3}}, [](Leaves p, const See& see) {
      for (const double factor : {1.0, 1e-4, 3e3, 0.7})
        sum(square(see(p[0] * factor)) + exp(p[1]) * factor).backward();
    });
  }
  SECTION("with a graph that is kept") {
    check_same_bits({{4, 3}}, [](Leaves p, const See& see) {
      const Tensor x = see(exp(p[0]));
      const Tensor loss = sum(square(see(x[1])) + see(x[2]) * 3.3) + sum(x);
      loss.backward(true);
      loss.backward(true);
      loss.backward();
    });
  }
}

namespace {

// The parameters after some steps of a whole training in shards, with hooks on all parameters.
std::vector<Array> train(const EncoderDecoderOptions& options, Observer observer) {
  seed(3);
  const auto model = make_model(options);
  std::vector<Example> examples;
  for (int i = 0; i < 6; ++i) {
    Example example;
    for (int j = 0; j <= i % 4 + 1; ++j) example.source.push_back(4 + (i * 3 + j * 5) % 8);
    example.target.assign(example.source.rbegin(), example.source.rend());
    examples.push_back(example);
  }
  const Batch batch = make_batch(examples);
  Adam adam(model->parameters(), {.learning_rate = 0.01});
  const CheckFinite check(observer == Observer::check_finite);
  for (const Param& param : model->parameters()) observe(observer, param.value);
  for (int step = 0; step < 3; ++step) {
    adam.zero_grad();
    const std::vector<Batch> shards = shards_of(batch, 2);
    for (int pass = 0; pass < 2; ++pass)  // gradients that add up
      sharded_backward(2, [&](std::int64_t i) {
        const Batch& shard = shards[static_cast<std::size_t>(i)];
        return cross_entropy((*model)(shard), shard.target_output);
      });
    clip_grad_norm(model->parameters(), 0.5);
    adam.step();
  }
  std::vector<Array> values;
  for (const Param& param : model->parameters()) values.push_back(param.value.value());
  return values;
}

}  // namespace

TEST_CASE("observing a whole training does not change a bit of its parameters") {
  EncoderDecoderOptions recurrent{.source_vocabulary = 12, .target_vocabulary = 12};
  recurrent.embedding = 5, recurrent.hidden = 7;
  EncoderDecoderOptions lstm = recurrent;
  lstm.cell = "lstm", lstm.attention = "general", lstm.layers = 2, lstm.dropout = 0.1;
  EncoderDecoderOptions heads = recurrent;
  heads.attention = "cosine", heads.heads = 2;
  EncoderDecoderOptions transformer = recurrent;
  transformer.model = "transformer", transformer.embedding = 8, transformer.heads = 2,
  transformer.dropout = 0.1;
  for (const EncoderDecoderOptions& options : {recurrent, lstm, heads, transformer}) {
    const std::vector<Array> alone = train(options, Observer::none);
    for (const Observer observer : kObservers) {
      const std::vector<Array> observed = train(options, observer);
      REQUIRE(alone.size() == observed.size());
      for (std::size_t i = 0; i < alone.size(); ++i)
        REQUIRE(std::memcmp(alone[i].raw(), observed[i].raw(), alone[i].bytes()) == 0);
    }
  }
}
