#include <cmath>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// Scores, normalisers and localities against their formulas.
namespace {

Tensor random(const Shape& shape) {
  Array x(shape, DType::f64);
  generator().normal(x, 0, 1);
  return x;
}

double at(const Tensor& x, std::int64_t i) { return x.value().at(i); }

Tensor row(const std::vector<double>& numbers) {
  Array x({1, static_cast<std::int64_t>(numbers.size())}, DType::f64);
  for (std::size_t i = 0; i < numbers.size(); ++i) x.set(static_cast<std::int64_t>(i), numbers[i]);
  return x;
}

Tensor weights_of(const std::string& normalizer, const Tensor& scores, const Mask& mask = {}) {
  AttentionState state;
  return (*make_normalizer(normalizer))(scores, mask, state).weights;
}

void check_row(const Tensor& found, const std::vector<double>& expected) {
  REQUIRE(found.elements() == static_cast<std::int64_t>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i)
    CHECK(at(found, static_cast<std::int64_t>(i)) == Approx(expected[i]).margin(1e-12));
}

}  // namespace

TEST_CASE("normalisers give the weights of their formulas", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const Tensor scores = row({1, 0.5, -1});
  const double a = std::exp(1), b = std::exp(0.5), c = std::exp(-1);
  check_row(weights_of("exp", scores), {a, b, c});
  check_row(weights_of("softmax_one", scores),
            {a / (1 + a + b + c), b / (1 + a + b + c), c / (1 + a + b + c)});
  check_row(weights_of("sink", scores),
            {a / (1 + a + b + c), b / (1 + a + b + c), c / (1 + a + b + c)});
  const auto sigmoid_of = [](double x) { return 1 / (1 + std::exp(-x)); };
  check_row(
      weights_of("sigmoid", scores),
      {sigmoid_of(1 - std::log(3)), sigmoid_of(0.5 - std::log(3)), sigmoid_of(-1 - std::log(3))});
  check_row(weights_of("sigmoid", scores, Mask::lengths({2})),
            {sigmoid_of(1 - std::log(2)), sigmoid_of(0.5 - std::log(2)), 0});
  check_row(weights_of("temperature:value=0.5", scores),
            {a * a / (a * a + b * b + c * c), b * b / (a * a + b * b + c * c),
             c * c / (a * a + b * b + c * c)});
  check_row(weights_of("temperature:value=0.5,learned=false", scores),
            {a * a / (a * a + b * b + c * c), b * b / (a * a + b * b + c * c),
             c * c / (a * a + b * b + c * c)});
  check_row(weights_of("sparsemax", scores), {0.75, 0.25, 0});
  check_row(weights_of("sparsemax", scores, Mask::lengths({1})), {1, 0, 0});
  check_row(weights_of("top_k:k=2", scores), {a / (a + b), b / (a + b), 0});
  check_row(weights_of("top_k:k=1", row({0.3, 0.3, -1})), {1, 0, 0});
  check_row(weights_of("top_k:k=9", scores), {a / (a + b + c), b / (a + b + c), c / (a + b + c)});
}

TEST_CASE("every normaliser gives 0 to hidden keys, and only 0 if all are hidden", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  for (const std::string& name : normalizer_names()) {
    INFO(name);
    Tensor scores = random({3, 4});
    if (make_normalizer(name)->score_count() == 2) scores = random({2, 3, 4});
    const Array weights = weights_of(name, scores, Mask::lengths({2, 4, 0})).value();
    for (const std::int64_t i : {2, 3, 8, 9, 10, 11}) CHECK(weights.at(i) == 0);
    CHECK(weights.all_finite());
  }
}

TEST_CASE("a learned alpha stays between 1 and 2, one for each head", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const EntmaxNormalizer normalizer({.alpha = 1.3, .learned = true, .heads = 2});
  AttentionState state;
  const Tensor scores = random({4, 5});
  const Tensor found = normalizer(scores, {}, state).weights;
  const Tensor expected = entmax(scores, 1.3);
  for (std::int64_t i = 0; i < 20; ++i) CHECK(at(found, i) == Approx(at(expected, i)));
  sum(square(found)).backward();
  const Array gradient = normalizer.parameters()[0].value.grad();
  CHECK(gradient.at(0) != gradient.at(1));
  CHECK_THROWS_WITH(EntmaxNormalizer({.alpha = 2, .learned = true}),
                    contains("a learned alpha stays between 1 and 2, but starts at 2"));
  CHECK_THROWS_WITH(make_normalizer("entmax:alpha=1"), contains("expected a number above 1"));
}

TEST_CASE("Gumbel softmax samples positions with the probabilities of softmax", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(1);
  const Tensor scores = row({1, 0, -1});
  const Tensor p = softmax(scores);
  std::vector<double> counts(3);
  constexpr int kDraws = 4000;
  for (int i = 0; i < kDraws; ++i) {
    const Tensor drawn = weights_of("gumbel:hard=true", scores);
    double total = 0;
    for (std::int64_t s = 0; s < 3; ++s) {
      total += at(drawn, s);
      counts[static_cast<std::size_t>(s)] += at(drawn, s) / kDraws;
    }
    REQUIRE(total == Approx(1));
  }
  for (std::int64_t s = 0; s < 3; ++s)
    CHECK(counts[static_cast<std::size_t>(s)] == Approx(at(p, s)).margin(0.025));
  const Eval eval;
  check_row(weights_of("gumbel", scores), {at(p, 0), at(p, 1), at(p, 2)});
  check_row(weights_of("gumbel:hard=true", scores), {1, 0, 0});
}

TEST_CASE("hard Gumbel weights have the gradient of the soft ones", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const auto gradient = [](const char* name) {
    seed(4);
    const Tensor scores = Tensor::parameter(Array::full({1, 3}, 0.5, DType::f64));
    sum(weights_of(name, scores) * row({3, -1, 2})).backward();
    return scores.grad();
  };
  const Array soft = gradient("gumbel"), hard = gradient("gumbel:hard=true");
  for (std::int64_t i = 0; i < 3; ++i) CHECK(soft.at(i) == Approx(hard.at(i)));
}

TEST_CASE("monotonic attention in use stops at the first probable position, never to the left",
          "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const Eval eval;
  const MonotonicNormalizer normalizer({.offset = 0});
  AttentionState state;
  const auto step = [&](const std::vector<double>& scores) {
    return normalizer(row(scores), {}, state).weights;
  };
  check_row(step({-1, 2, 3, -1}), {0, 1, 0, 0});
  check_row(step({5, 2, -3, 4}), {0, 1, 0, 0});   // may stay
  check_row(step({5, -2, -3, 4}), {0, 0, 0, 1});  // position 0 is behind it
  check_row(step({5, 5, 5, -4}), {0, 0, 0, 0});   // nothing is left
  check_row(step({5, 5, 5, 4}), {0, 0, 0, 1});    // and it goes on from there
}

TEST_CASE("the expected alignment is the mean of sampled hard ones", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const std::vector<double> stops = {0.2, 0.7, 0.5};
  const Tensor p = row(stops);
  const Tensor first = monotonic_alignment(p, row({1, 0, 0}));
  const Tensor second = monotonic_alignment(p, first);
  std::vector<double> counts(3);
  constexpr int kWalks = 20000;
  for (int walk = 0; walk < kWalks; ++walk) {
    std::size_t position = 0;
    for (int t = 0; t < 2; ++t)
      while (position < 3) {
        Array u({1}, DType::f64);
        generator().uniform(u, 0, 1);
        if (u.at(0) < stops[position]) break;
        ++position;
      }
    if (position < 3) counts[position] += 1.0 / kWalks;
  }
  for (std::int64_t s = 0; s < 3; ++s)
    CHECK(counts[static_cast<std::size_t>(s)] == Approx(at(second, s)).margin(0.012));
}

TEST_CASE("chunkwise attention spreads its weight over the chunk before its stop", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const Eval eval;
  const ChunkwiseNormalizer normalizer({.width = 2, .monotonic = {.offset = 0}});
  AttentionState state;
  const Tensor scores = stack({row({-1, -1, 2, -1}), row({5, 1, 0, 7})});
  const double a = std::exp(1), total = a + 1;
  check_row(normalizer(scores, {}, state).weights, {0, a / total, 1 / total, 0});
  CHECK_THROWS_WITH(normalizer(row({1, 2}), {}, state), contains("expected two of each key"));
}

TEST_CASE("score and normaliser cannot both move along the source", "[mechanism]") {
  CHECK_THROWS_WITH(Attention("gaussian_mixture", {.query_size = 4, .normalizer = "monotonic"}),
                    contains("the score and the normaliser both move along the source"));
}

TEST_CASE("concat and feed_forward scores contain the additive score", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(3);
  const Tensor keys = random({4, 3, 2}), query = random({3, 5});
  AttentionState state;
  const AdditiveScore additive({.query_size = 5, .key_size = 2, .hidden = 7});
  const Tensor expected = additive(query, additive.project_keys(keys), state);
  const Tensor weight = additive.parameters()[0].value, v = additive.parameters()[1].value;
  const Tensor of_keys = slice(weight, 1, 0, 2), of_query = slice(weight, 1, 2, 7);

  AdditiveScore concat_score({.query_size = 5, .key_size = 2, .hidden = 7, .query_first = true});
  concat_score.load({{"weight", concat({of_query, of_keys}, 1).value()}, {"v", v.value()}});
  FeedForwardScore network({.query_size = 5, .key_size = 2, .hidden = {7}, .activation = "tanh"});
  network.load({{"key.weight", of_keys.value()},
                {"key.bias", Array::zeros({7})},
                {"query.weight", of_query.value()},
                {"out.weight", reshape(v, {1, 7}).value()}});
  for (const AttentionScore* score : {static_cast<const AttentionScore*>(&concat_score),
                                      static_cast<const AttentionScore*>(&network)}) {
    const Tensor found = (*score)(query, score->project_keys(keys), state);
    REQUIRE(found.shape() == Shape({3, 4}));
    for (std::int64_t i = 0; i < 12; ++i) CHECK(at(found, i) == Approx(at(expected, i)));
  }
}

TEST_CASE("the location score reads the weights of the step before", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(5);
  const LocationScore score(
      {.query_size = 2, .key_size = 2, .hidden = 3, .filters = 4, .width = 3});
  const auto named = score.parameters();
  const auto parameter = [&](const std::string& name) {
    for (const Param& param : named)
      if (param.name == name) return param.value;
    FAIL("no parameter " << name);
    return Tensor();
  };
  const Tensor keys = random({5, 1, 2}), query = random({1, 2});
  AttentionState state;
  state.weights = row({0.1, 0.5, 0.2, 0.2, 0});
  const Tensor found = score(query, score.project_keys(keys), state);
  for (std::int64_t s = 0; s < 5; ++s) {
    double expected = 0;
    for (std::int64_t a = 0; a < 3; ++a) {
      double z = at(parameter("key.bias"), a);
      for (std::int64_t i = 0; i < 2; ++i)
        z += at(parameter("key.weight"), 2 * a + i) * at(keys, 2 * s + i) +
             at(parameter("query.weight"), 2 * a + i) * at(query, i);
      for (std::int64_t f = 0; f < 4; ++f)
        for (std::int64_t k = 0; k < 3; ++k)
          if (const std::int64_t from = s + k - 1; from >= 0 && from < 5)
            z += at(parameter("location.weight"), 4 * a + f) * at(parameter("filters"), 3 * f + k) *
                 at(state.weights, from);
      expected += at(parameter("v"), a) * std::tanh(z);
    }
    CHECK(at(found, s) == Approx(expected));
  }
  CHECK_THROWS_WITH(LocationScore({.query_size = 2, .key_size = 2, .width = 4}),
                    contains("filters of width 4; expected an odd number"));
}

TEST_CASE("the coverage loss is the overlap with what was attended to before", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(6);
  const Attention attention("coverage:loss=0.5", {.query_size = 3, .hidden = 4});
  const Memory memory = attention.memorize(random({5, 2, 3}), {5, 3});
  AttentionState state;
  Array covered = Array::zeros({2, 5});
  for (int step = 0; step < 3; ++step) {
    const AttentionResult found = attention.attend(random({2, 3}), memory, state);
    const Array weights = found.weights.value();
    for (std::int64_t b = 0; b < 2; ++b) {
      double overlap = 0;
      for (std::int64_t s = 5 * b; s < 5 * b + 5; ++s) {
        overlap += std::min(weights.at(s), covered.at(s));
        covered.set(s, covered.at(s) + weights.at(s));
      }
      CHECK(at(found.penalty, b) == Approx(0.5 * overlap).margin(1e-12));
    }
    state = found.next;
    for (std::int64_t i = 0; i < 10; ++i) CHECK(at(state.coverage, i) == Approx(covered.at(i)));
  }
}

TEST_CASE("the Gaussian mixture's centres move along the source", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(7);
  const GaussianMixtureScore score({.query_size = 2, .components = 3});
  const Tensor weight = score.parameters()[0].value, bias = score.parameters()[1].value;
  AttentionState state;
  std::vector<double> kappa(3, -1);
  for (int step = 0; step < 2; ++step) {
    const Tensor query = random({1, 2});
    const Tensor found = score(query, random({6, 1, 9}), state);
    const Tensor window = linear(query, weight, bias);
    for (std::int64_t k = 0; k < 3; ++k)
      kappa[static_cast<std::size_t>(k)] += std::exp(at(window, 6 + k));
    for (std::int64_t s = 0; s < 6; ++s) {
      double phi = 0;
      for (std::int64_t k = 0; k < 3; ++k)
        phi += std::exp(at(window, k)) *
               std::exp(-std::exp(at(window, 3 + k)) *
                        std::pow(kappa[static_cast<std::size_t>(k)] - static_cast<double>(s), 2));
      CHECK(at(found, s) == Approx(std::log(phi)));
    }
  }
}

TEST_CASE("query-key normalisation starts with the gain of its paper", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  const QueryKeyNormScore score({.query_size = 2, .key_size = 2, .length = 8});
  AttentionState state;
  const Tensor keys = reshape(row({3, 4, 0, -2}), {2, 1, 2}), query = row({6, 8});
  const Tensor found = score(query, score.project_keys(keys), state);
  check_row(found, {std::log2(56), -0.8 * std::log2(56)});
}

TEST_CASE("local-m attends to the keys around the step's own position", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(8);
  const Attention attention("dot", {.query_size = 3, .locality = "local_m:window=1"});
  const Memory memory = attention.memorize(random({6, 2, 3}), {6, 2});
  AttentionState state;
  for (std::int64_t t = 0; t < 4; ++t) {
    const AttentionResult found = attention.attend(random({2, 3}), memory, state);
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t s = 0; s < 6; ++s)
        CHECK((at(found.weights, 6 * b + s) > 0) == (std::abs(s - t) <= 1 && (b == 0 || s < 2)));
    state = found.next;
  }
}

TEST_CASE("local-p multiplies the weights of its window by a Gaussian", "[mechanism]") {
  const DefaultDType f64(DType::f64);
  seed(9);
  const PredictiveLocality locality({.query_size = 3, .hidden = 4, .window = 2});
  const Tensor query = random({2, 3});
  const Neighbourhood near = locality(query, {6, 4}, 6, {});
  const Tensor position = locality.parameters()[0].value, v = locality.parameters()[1].value;
  const Tensor z = linear(tanh(linear(query, position, {})), v, {});
  const Tensor seen = softmax(Tensor(Array::zeros({2, 6})), near.mask);
  for (std::int64_t b = 0; b < 2; ++b) {
    const double p = (b == 0 ? 6 : 4) / (1 + std::exp(-at(z, b)));
    for (std::int64_t s = 0; s < 6; ++s) {
      const double distance = static_cast<double>(s) - p;
      CHECK(at(near.factor, 6 * b + s) == Approx(std::exp(-distance * distance / 2)));
      CHECK((at(seen, 6 * b + s) > 0) == (std::abs(distance) <= 2));
    }
  }
  CHECK_THROWS_WITH(make_locality("local_p:window=0", {.query_size = 3}),
                    contains("locality 'local_p': window is '0'; expected a whole number from 1"));
}
