#include "attune/models/policy_loss.h"

#include <cmath>

#include "attune/autograd/all.h"
#include "attune/data/all.h"
#include "attune/layers/all.h"
#include "attune/models/all.h"
#include "attune/optim/adam.h"
#include "catch.h"

using namespace attune;

TEST_CASE("the gradient of policy_loss() is that of the expected reward, on average",
          "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(1);
  // In each of three rows two decisions between three actions, with a reward for each pair of them.
  constexpr std::int64_t kSteps = 2, kRows = 3, kActions = 3;
  const auto reward = [](std::int64_t t, std::int64_t row, std::int64_t first,
                         std::int64_t action) {
    const double base = static_cast<double>(row) - 0.5 * static_cast<double>(t * action);
    return base + (t == 0 ? std::sin(3.0 * static_cast<double>(action + row))
                          : std::cos(static_cast<double>(first * 2 + action)));
  };
  Array start({kSteps, kActions});
  generator().normal(start, 0, 1);
  Tensor theta = Tensor::parameter(start);  // of each step
  const Tensor p = softmax(theta);
  Tensor expected(Array::zeros({}));
  for (std::int64_t row = 0; row < kRows; ++row)
    for (std::int64_t a = 0; a < kActions; ++a)
      for (std::int64_t b = 0; b < kActions; ++b)
        expected = expected - p[0][a] * p[1][b] * (reward(0, row, a, a) + reward(1, row, a, b));
  expected.backward();
  const Array exact = theta.grad().clone();
  theta.zero_grad();

  Array estimate = Array::zeros({kSteps, kActions});
  constexpr int kDraws = 20000;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Tensor log_p = log_softmax(theta);
    Array rewards({kSteps, kRows});
    std::vector<Tensor> of_steps;
    std::vector<std::int64_t> first(kRows);
    for (std::int64_t t = 0; t < kSteps; ++t) {
      std::vector<Tensor> of_rows;
      for (std::int64_t row = 0; row < kRows; ++row) {
        double u = generator().uniform();
        std::int64_t action = 0;
        while (action < kActions - 1 && (u -= std::exp(log_p[t].value().at(action))) > 0) ++action;
        if (t == 0) first[static_cast<std::size_t>(row)] = action;
        rewards.set(t * kRows + row, reward(t, row, first[static_cast<std::size_t>(row)], action));
        of_rows.push_back(log_p[t][action]);
      }
      of_steps.push_back(stack(of_rows));
    }
    const Tensor loss = policy_loss(stack(of_steps), rewards, {});
    REQUIRE(loss.item() == 0);
    loss.backward();
  }
  for (std::int64_t i = 0; i < kSteps * kActions; ++i)
    CHECK(theta.grad().at(i) / kDraws == Approx(exact.at(i)).margin(0.05));
}

TEST_CASE("policy_loss() ignores what is beyond the lengths", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const auto gradient = [](double garbage) {
    Array rewards = Array::zeros({3, 2}), start = Array::zeros({3, 2});
    for (std::int64_t i = 0; i < 6; ++i) {
      rewards.set(i, 0.5 * static_cast<double>(i) - 1);
      start.set(i, -1.0 - static_cast<double>(i));
    }
    rewards.set(5, garbage), start.set(5, garbage);  // step 2 of row 1
    const Tensor log_p = Tensor::parameter(start);
    policy_loss(log_p, rewards, {3, 2}).backward();
    return log_p.grad();
  };
  const Array plain = gradient(0), other = gradient(std::nan(""));
  for (std::int64_t i = 0; i < 6; ++i) CHECK(plain.at(i) == other.at(i));
  CHECK(plain.at(5) == 0);
  CHECK(plain.at(4) != 0);
  CHECK_THROWS_WITH(policy_loss(Tensor(Array::zeros({2, 3})), Array::zeros({3, 2}), {}),
                    contains("log-probabilities [2, 3] and rewards [3, 2] do not match"));
}

TEST_CASE("hard attention draws positions with the probabilities of softmax", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const HardNormalizer normalizer({.expected = 0, .entropy = 0.5});
  Array array({1, 4});
  for (std::int64_t i = 0; i < 4; ++i) array.set(i, 0.7 * static_cast<double>(i));
  const Tensor scores = array;
  const Mask mask = Mask::lengths({3});
  const Tensor p = softmax(scores, mask);
  double entropy = 0;
  for (std::int64_t s = 0; s < 3; ++s) entropy -= p.value().at(s) * std::log(p.value().at(s));
  std::vector<double> counts(4);
  constexpr int kDraws = 5000;
  AttentionState state;
  for (int draw = 0; draw < kDraws; ++draw) {
    const Normalized found = normalizer(scores, mask, state);
    for (std::int64_t s = 0; s < 4; ++s) {
      if (found.weights.value().at(s) == 0) continue;
      REQUIRE(found.weights.value().at(s) == 1);
      counts[static_cast<std::size_t>(s)] += 1.0 / kDraws;
      REQUIRE(found.log_probability.item() == Approx(std::log(p.value().at(s))));
    }
    REQUIRE(found.penalty.item() == Approx(-0.5 * entropy));
  }
  for (std::int64_t s = 0; s < 4; ++s)
    CHECK(counts[static_cast<std::size_t>(s)] == Approx(p.value().at(s)).margin(0.025));
  const Eval eval;
  const Normalized best = normalizer(scores, mask, state);
  CHECK(best.weights.value().at(2) == 1);
  CHECK(sum(best.weights).item() == 1);
}

TEST_CASE("a model with hard attention has gradients for its scores", "[mechanism]") {
  seed(3);
  EncoderDecoderOptions options{.source_vocabulary = 9, .target_vocabulary = 9};
  options.embedding = 4, options.hidden = 5;
  options.normalizer = "hard:expected=0,entropy=0";
  const auto model = make_model(options);
  const std::vector<Example> examples = {{{4, 5, 6}, {6, 5, 4}}, {{7, 8}, {8, 7}}};
  const Tensor loss = model->loss(make_batch(examples));
  loss.backward();
  for (const Param& param : model->parameters()) {
    INFO(param.name);
    if (param.name.find("attention.score") == std::string::npos) continue;
    double largest = 0;
    for (const float g : param.value.grad().to_vector())
      largest = std::max(largest, std::abs(double{g}));
    CHECK(largest > 0);
  }
}
