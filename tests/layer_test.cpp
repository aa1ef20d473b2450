#include <cmath>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/activations.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "attune/optim/all.h"
#include "attune/train/all.h"
#include "catch.h"
#include "temporary_folder.h"

using namespace attune;

namespace {

std::vector<std::string> names_in(const Layer& layer) {
  std::vector<std::string> names;
  for (const Param& param : layer.parameters()) names.push_back(param.name);
  return names;
}

// A user-defined layer with a parameter and children.
class Perceptron : public Layer {
 public:
  Perceptron()
      : scale_(param("scale", {1}, ones())),
        hidden_(child("hidden", Linear(3, 4))),
        out_(child("out", Linear(4, 2, false))) {}
  Tensor operator()(const Tensor& x) const { return out_(tanh(hidden_(x))); }

  using Layer::child;
  using Layer::param;

 private:
  Tensor scale_;
  Linear hidden_, out_;
};

// Values to load into a Perceptron, unlike those it has.
NamedArrays new_values() {
  return {{"scale", Array::full({1}, 7)},
          {"hidden.weight", Array::full({4, 3}, 1)},
          {"hidden.bias", Array::full({4}, 2)},
          {"out.weight", Array::full({2, 4}, 3)}};
}

struct Statistics {
  double mean, deviation, smallest, largest;
};

Statistics statistics(const Initializer& initializer, const Shape& shape) {
  seed(7);
  Array array(shape, DType::f64);
  initializer(array);
  double sum = 0, squares = 0, smallest = INFINITY, largest = -INFINITY;
  for (const double x : array.to_vector<double>()) {
    sum += x;
    squares += x * x;
    smallest = std::min(smallest, x);
    largest = std::max(largest, x);
  }
  const double n = static_cast<double>(array.elements()), mean = sum / n;
  return {mean, std::sqrt(squares / n - mean * mean), smallest, largest};
}

// Uniform in +-bound: nothing outside, values close to both ends, deviation bound / sqrt(3).
void check_uniform(const Statistics& found, double bound) {
  CHECK(found.smallest >= -bound);
  CHECK(found.smallest < -0.99 * bound);
  CHECK(found.largest <= bound);
  CHECK(found.largest > 0.99 * bound);
  CHECK(found.mean == Approx(0).margin(0.01 * bound));
  CHECK(found.deviation == Approx(bound / std::sqrt(3.0)).epsilon(0.01));
}

void check_normal(const Statistics& found, double mean, double deviation) {
  CHECK(found.mean == Approx(mean).margin(0.02 * deviation));
  CHECK(found.deviation == Approx(deviation).epsilon(0.01));
  CHECK(found.largest > mean + 3 * deviation);
}

// The largest difference between M M^T and gain^2 I, with M^T M where there are fewer columns.
double orthogonality_error(std::int64_t rows, std::int64_t columns, double gain) {
  Array m({rows, columns}, DType::f64);
  orthogonal(gain)(m);
  const std::int64_t count = std::min(rows, columns), size = std::max(rows, columns);
  const auto at = [&](std::int64_t vector, std::int64_t i) {
    return rows <= columns ? m.at(vector * columns + i) : m.at(i * columns + vector);
  };
  double worst = 0;
  for (std::int64_t a = 0; a < count; ++a)
    for (std::int64_t b = 0; b < count; ++b) {
      double dot = 0;
      for (std::int64_t i = 0; i < size; ++i) dot += at(a, i) * at(b, i);
      worst = std::max(worst, std::fabs(dot - (a == b ? gain * gain : 0)));
    }
  return worst;
}

}  // namespace

TEST_CASE("a layer's parameters have nested names, its own first") {
  CHECK(names_in(Perceptron()) ==
        std::vector<std::string>{"scale", "hidden.weight", "hidden.bias", "out.weight"});
  CHECK(names_in(Recurrent("gru", 2, 3, {.layers = 2, .bidirectional = true})) ==
        std::vector<std::string>{
            "layer0.forward.weight_ih", "layer0.forward.weight_hh", "layer0.forward.bias_ih",
            "layer0.forward.bias_hh", "layer0.backward.weight_ih", "layer0.backward.weight_hh",
            "layer0.backward.bias_ih", "layer0.backward.bias_hh", "layer1.forward.weight_ih",
            "layer1.forward.weight_hh", "layer1.forward.bias_ih", "layer1.forward.bias_hh",
            "layer1.backward.weight_ih", "layer1.backward.weight_hh", "layer1.backward.bias_ih",
            "layer1.backward.bias_hh"});
  CHECK(names_in(Attention("additive", {.query_size = 2, .key_size = 3, .hidden = 4})) ==
        std::vector<std::string>{"score.weight", "score.v"});
  CHECK(names_in(FeedForward({2, 3, 4})) ==
        std::vector<std::string>{"layer0.weight", "layer0.bias", "layer1.weight", "layer1.bias"});
}

TEST_CASE("a layer counts the numbers in its parameters") {
  CHECK(Perceptron().parameter_count() == 1 + 12 + 4 + 8);
  CHECK(GRU(5, 7).parameter_count() == 21 * 5 + 21 * 7 + 21 + 21);
  CHECK(Dropout(0.1).parameter_count() == 0);
}

TEST_CASE("copies of a layer share the parameters") {
  Perceptron one;
  const Perceptron other = one;
  one.load(new_values());
  CHECK(other.parameters()[1].value.value().at(5) == 1);
  const Tensor x(Array::full({2, 3}, 0.5));
  sum(other(x)).backward();
  CHECK(one.parameters()[3].value.grad().defined());
  one.zero_grad();
  CHECK_FALSE(other.parameters()[3].value.grad().defined());
}

TEST_CASE("a layer loads the values() of another layer") {
  seed(1);
  const Perceptron from;
  Perceptron to;
  CHECK(to.parameters()[1].value.value().at(0) != from.parameters()[1].value.value().at(0));
  to.load(from.values());
  for (std::size_t i = 0; i < from.parameters().size(); ++i)
    CHECK(to.parameters()[i].value.value().to_vector() ==
          from.parameters()[i].value.value().to_vector());
  CHECK_FALSE(to.values()[0].second.shares_memory_with(from.values()[0].second));
}

TEST_CASE("a layer converts loaded values to its own dtype") {
  Linear layer(2, 1, false);
  layer.load({{"weight", Array::from(std::vector<double>{0.1, 2}, {1, 2})}});
  CHECK(layer.weight().dtype() == DType::f32);
  CHECK(layer.weight().value().at(0) == static_cast<double>(0.1F));
}

TEST_CASE("a failed load names the problem and leaves every parameter unchanged") {
  Perceptron layer;
  std::vector<std::vector<float>> before;
  for (const auto& [name, value] : layer.values()) before.push_back(value.to_vector());

  auto values = new_values();
  SECTION("a missing parameter") {
    values.erase(values.begin() + 2);
    CHECK_THROWS_WITH(layer.load(values), contains("no value is given for hidden.bias"));
  }
  SECTION("a parameter that is not there") {
    values.emplace_back("hidden.gain", Array::full({4}, 1));
    CHECK_THROWS_WITH(layer.load(values), contains("there is no parameter hidden.gain"));
  }
  SECTION("another shape, in the last one") {
    values.back().second = Array::full({4, 2}, 3);
    CHECK_THROWS_WITH(layer.load(values),
                      contains("'out.weight' has shape [2, 4]") && contains("[4, 2]"));
  }
  SECTION("a parameter given twice") {
    values.push_back(values.front());
    CHECK_THROWS_WITH(layer.load(values), contains("'scale' is given twice"));
  }
  SECTION("many missing ones, of which the first are named") {
    CHECK_THROWS_WITH(layer.load({}), contains("scale, hidden.weight, hidden.bias and 1 more"));
  }
  for (std::size_t i = 0; i < before.size(); ++i)
    CHECK(layer.values()[i].second.to_vector() == before[i]);
}

TEST_CASE("names of parameters and children must be unique, not empty and without dots") {
  Perceptron layer;
  CHECK_THROWS_WITH(layer.param("scale", {1}, ones()), contains("'scale' is taken"));
  CHECK_THROWS_WITH(layer.param("hidden", {1}, ones()), contains("'hidden' is taken"));
  CHECK_THROWS_WITH(layer.child("out", Linear(1, 1)), contains("'out' is taken"));
  CHECK_THROWS_WITH(layer.param("a.b", {1}, ones()), contains("'a.b' is not a valid name"));
  CHECK_THROWS_WITH(layer.param("", {1}, ones()), contains("is not a valid name"));
}

TEST_CASE("a size below 1 is an error when a layer is made") {
  CHECK_THROWS_WITH(Linear(0, 3), contains("'weight' cannot have shape [3, 0]"));
  CHECK_THROWS_WITH(Embedding(0, 3), contains("[0, 3]"));
  CHECK_THROWS_WITH(GRU(4, 0), contains("at least 1"));
  CHECK_THROWS_WITH(FeedForward({3}), contains("FeedForward: 1 sizes given"));
  CHECK_THROWS_WITH(RNN(2, 3, {.layers = 0}), contains("0 layers; expected at least 1"));
  CHECK_THROWS_WITH(Dropout(1), contains("Dropout: probability 1 is outside [0, 1)"));
}

TEST_CASE("parameters have the dtype of the DefaultDType scope") {
  CHECK(Linear(2, 2).weight().dtype() == DType::f32);
  const DefaultDType f64(DType::f64);
  CHECK(Linear(2, 2).weight().dtype() == DType::f64);
  CHECK(make_cell("lstm", 2, 3)->initial_state(4).c.dtype() == DType::f64);
}

TEST_CASE("an unknown name lists the known ones") {
  CHECK_THROWS_WITH(make_cell("gru2", 1, 1),
                    "recurrent cell: 'gru2' is unknown; known are " + joined(cell_names()));
  CHECK_THROWS_WITH(make_score("cosines", {}),
                    "attention score: 'cosines' is unknown; known are " + joined(score_names()));
  CHECK_THROWS_WITH(make_normalizer("harder"),
                    contains("normalizer: 'harder' is unknown; known are "));
  CHECK_THROWS_WITH(make_activation("swoosh"), contains("known are relu, leaky_relu, elu, tanh"));
}

TEST_CASE("every cell and score can be made by each of its names") {
  for (const std::string& kind : cell_names()) {
    const auto cell = make_cell(kind, 3, 5);
    CHECK(cell->input_size() == 3);
    CHECK(cell->hidden_size() == 5);
    const RecurrentState state = (*cell)(Array::zeros({2, 3}), cell->initial_state(2));
    CHECK(state.h.shape() == Shape({2, 5}));
    CHECK(state.c.defined() == (kind == "lstm"));
  }
  for (const std::string& kind : score_names()) {
    const Attention attention(kind, {.query_size = 3, .hidden = 4});
    const AttentionResult result =
        attention.attend(Array::zeros({2, 3}), attention.memorize(Array::zeros({5, 2, 3})));
    CHECK(sum(result.weights).item() == Approx(2));
  }
  for (const std::string& name : activation_names())
    CHECK(make_activation(name)(Array::full({2}, 1)).shape() == Shape({2}));
}

TEST_CASE("the uniform and normal initialisers have the requested range, mean and deviation") {
  const Shape shape({200, 300});
  check_uniform(statistics(uniform(-0.3, 0.3), shape), 0.3);
  check_normal(statistics(normal(2, 0.5), shape), 2, 0.5);
  CHECK(statistics(constant(3), shape).smallest == 3);
  CHECK(statistics(ones(), shape).largest == 1);
  CHECK(statistics(zeros(), shape).largest == 0);
}

TEST_CASE("Xavier's and Kaiming's initialisers scale with the fans of a weight [out, in]") {
  const Shape shape({150, 350});  // fan_in 350, fan_out 150
  check_uniform(statistics(xavier_uniform(), shape), std::sqrt(6.0 / 500));
  check_normal(statistics(xavier_normal(2), shape), 0, 2 * std::sqrt(2.0 / 500));
  check_uniform(statistics(kaiming_uniform(), shape), std::sqrt(6.0 / 350));
  check_normal(statistics(kaiming_normal(), shape), 0, std::sqrt(2.0 / 350));
  Array vector({5});
  CHECK_THROWS_WITH(xavier_uniform()(vector), contains("xavier_uniform: shape [5] has no fans"));
}

TEST_CASE("the orthogonal initialiser gives orthonormal rows or columns times the gain") {
  CHECK(orthogonality_error(50, 50, 1) < 1e-12);
  CHECK(orthogonality_error(7, 30, 1.5) < 1e-12);
  CHECK(orthogonality_error(30, 7, 0.5) < 1e-12);
  Array vector({5});
  CHECK_THROWS_WITH(orthogonal()(vector), contains("orthogonal: shape [5] is not a matrix"));
}

TEST_CASE("initialisers draw the same numbers after the same seed") {
  seed(3);
  const std::vector<float> first = Linear(4, 5).weight().value().to_vector();
  const std::vector<float> second = Linear(4, 5).weight().value().to_vector();
  seed(3);
  CHECK(Linear(4, 5).weight().value().to_vector() == first);
  CHECK(first != second);
}

TEST_CASE("Linear and recurrent weights start within PyTorch's bounds") {
  seed(5);
  for (const Param& param : Linear(400, 100).parameters())
    for (const float x : param.value.value().to_vector()) REQUIRE(std::fabs(x) <= 1.0 / 20);
  for (const Param& param : LSTM(30, 100).parameters())
    for (const float x : param.value.value().to_vector()) REQUIRE(std::fabs(x) <= 1.0 / 10);
}

TEST_CASE("Dropout zeroes a fraction p, scales the rest, and does nothing under Eval") {
  seed(11);
  const Dropout layer(0.25);
  const Tensor x(Array::full({100, 100}, 3));
  int zeroed = 0;
  for (const float y : layer(x).value().to_vector()) {
    if (y == 0)
      ++zeroed;
    else
      REQUIRE(y == Approx(4));
  }
  CHECK(zeroed / 10000.0 == Approx(0.25).margin(0.02));
  const Eval eval;
  CHECK(layer(x).value().to_vector() == x.value().to_vector());
}

TEST_CASE("FeedForward applies dropout after every activation but not after its output") {
  const Tensor x(Array::full({5, 4}, 1));
  const auto differs = [&](const std::vector<std::int64_t>& sizes) {
    seed(2);
    const FeedForward network(sizes, "tanh", 0.5);
    return network(x).value().to_vector() != network(x).value().to_vector();
  };
  CHECK_FALSE(differs({4, 20}));
  CHECK(differs({4, 20, 3}));
}

TEST_CASE("dropout in a stack of recurrent layers is applied only between layers") {
  const Tensor x(Array::full({3, 2, 4}, 1));
  const auto differs = [&](int layers) {
    seed(2);
    const GRU network(4, 5, {.layers = layers, .dropout = 0.5});
    return network(x).output.value().to_vector() != network(x).output.value().to_vector();
  };
  CHECK_FALSE(differs(1));
  CHECK(differs(2));
}

TEST_CASE("values beyond a length affect neither output nor states") {
  for (const std::string& kind : cell_names()) {
    seed(4);
    const Recurrent network(kind, 2, 3, {.layers = 2, .bidirectional = true});
    Array x({4, 2, 2});
    generator().normal(x, 0, 1);
    Array changed = x.clone();
    for (std::int64_t t = 2; t < 4; ++t)
      for (std::int64_t d = 0; d < 2; ++d) changed.set((t * 2 + 1) * 2 + d, 99);
    const RecurrentResult a = network(x, {4, 2}), b = network(changed, {4, 2});
    CHECK(a.output.value().to_vector() == b.output.value().to_vector());
    for (std::size_t i = 0; i < a.states.size(); ++i)
      CHECK(a.states[i].h.value().to_vector() == b.states[i].h.value().to_vector());
    CHECK(a.output.value().at((3 * 2 + 1) * 6) == 0);
  }
}

TEST_CASE("a recurrent network requires an initial state for each layer and direction") {
  const GRU network(2, 3, {.layers = 2, .bidirectional = true});
  const std::vector<RecurrentState> three(3);
  CHECK_THROWS_WITH(network(Array::zeros({1, 1, 2}), {}, three),
                    contains("3 initial states given; expected 4"));
}

TEST_CASE("attention weights add up to 1 within the length, and a source of length 0 has none") {
  seed(6);
  Array keys({4, 3, 5}), query({3, 5});
  generator().normal(keys, 0, 1);
  generator().normal(query, 0, 1);
  for (const std::string& kind : score_names()) {
    const Attention attention(kind, {.query_size = 5, .hidden = 4});
    const AttentionResult result = attention.attend(query, attention.memorize(keys, {4, 0, 2}));
    const std::vector<float> weights = result.weights.value().to_vector();
    CHECK(weights[0] + weights[1] + weights[2] + weights[3] == Approx(1));
    CHECK(weights[8] + weights[9] == Approx(1));
    for (const std::size_t i : {4, 5, 6, 7, 10, 11}) CHECK(weights[i] == 0);
    for (std::int64_t i = 5; i < 10; ++i) CHECK(result.context.value().at(i) == 0);
  }
}

TEST_CASE("attention errors name mismatched sizes and lengths") {
  CHECK_THROWS_WITH(Attention("dot", {.query_size = 4, .key_size = 5}),
                    contains("queries have 4 features but keys 5"));
  const Attention attention("general", {.query_size = 4, .key_size = 5});
  const Array keys = Array::zeros({3, 2, 5});
  CHECK_THROWS_WITH(attention.memorize(keys, {1, 2, 3}),
                    contains("lengths have shape [3]") && contains("each of the 2 sequences"));
  CHECK_THROWS_WITH(attention.memorize(keys, {1, 4}), contains("length 4 is outside [0, 3]"));
  CHECK_THROWS_WITH(attention.memorize(keys, Array::zeros({4, 2, 5})),
                    contains("keys [3, 2, 5] and values [4, 2, 5]"));
  CHECK_THROWS_AS(attention.attend(Array::zeros({2, 3}), attention.memorize(keys)), Error);
}

TEST_CASE("a layer registered under two names has its parameters once") {
  struct Shared : Layer {
    Linear both{2, 2};
    Shared() {
      child("a", both);
      child("b", both);
    }
  };
  Shared model;
  std::vector<std::string> names;
  for (const Param& param : model.parameters()) names.push_back(param.name);
  CHECK(names == std::vector<std::string>{"a.weight", "a.bias"});
  CHECK(model.parameter_count() == 6);
  CHECK(model.values().size() == 2);
  sum(square(model.both(Tensor(Array::full({1, 2}, 3))))).backward();
  double squares = 0;
  for (const Tensor& p : {model.both.weight(), model.both.bias()})
    for (const double g : p.grad().to_vector<double>()) squares += g * g;
  CHECK(clip_grad_norm(model.parameters(), 1e9) == Approx(std::sqrt(squares)));
  CHECK_NOTHROW(Adam(model.parameters()).step());
  const Tensor weight = model.both.weight(), bias = model.both.bias();
  CHECK(clip_grad_norm({weight, bias, weight}, 1e9) == Approx(std::sqrt(squares)));
  CHECK_NOTHROW(Adam({weight, bias, weight}).step());

  const TemporaryFolder folder;
  save_parameters(folder.path("model.safetensors"), model);
  CHECK(load_safetensors(folder.path("model.safetensors")).arrays.size() == 2);
  Shared other;
  load_parameters(folder.path("model.safetensors"), other);
  CHECK(other.both.weight().value().to_vector() == model.both.weight().value().to_vector());
}
