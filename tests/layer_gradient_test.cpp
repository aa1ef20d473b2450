#include "attune/autograd/array/random.h"
#include "attune/autograd/gradcheck.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// Every layer's gradients against finite differences in float64, for its parameters and its inputs.
namespace {

using Leaves = std::vector<std::pair<std::string, Tensor>>;

Tensor input(const Shape& shape) {
  Array array(shape, DType::f64);
  generator().normal(array, 0, 1);
  return Tensor::parameter(array);
}

// "" when every gradient of the layer's parameters and the inputs is right; else the first fault.
std::string fault(const Layer& layer, const std::vector<Tensor>& inputs,
                  const std::function<std::vector<Tensor>()>& function) {
  Leaves leaves;
  for (const Param& param : layer.parameters()) leaves.emplace_back(param.name, param.value);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    leaves.emplace_back("input " + std::to_string(i), inputs[i]);
  return gradcheck(function, leaves).message;
}

template <typename L>
std::string fault_of_x(const L& layer, const Shape& shape) {
  const Tensor x = input(shape);
  return fault(layer, {x}, [&] { return std::vector<Tensor>{layer(x)}; });
}

void append(std::vector<Tensor>& tensors, const RecurrentState& state) {
  tensors.push_back(state.h);
  if (state.c.defined()) tensors.push_back(state.c);
}

RecurrentState random_state(const std::string& kind, std::int64_t batch, std::int64_t hidden) {
  return {input({batch, hidden}), kind == "lstm" ? input({batch, hidden}) : Tensor()};
}

std::string fault_of_network(const std::string& kind, const RecurrentOptions& options,
                             const Indices& lengths) {
  const Recurrent network(kind, 3, 4, options);
  const Tensor x = input({5, 3, 3});
  std::vector<RecurrentState> initial;
  std::vector<Tensor> inputs = {x};
  for (int i = 0; i < network.layers() * network.directions(); ++i) {
    initial.push_back(random_state(kind, 3, 4));
    append(inputs, initial.back());
  }
  return fault(network, inputs, [&] {
    const RecurrentResult result = network(x, lengths, initial);
    std::vector<Tensor> outputs = {result.output};
    for (const RecurrentState& state : result.states) append(outputs, state);
    return outputs;
  });
}

// Asked with one query after the other, and with three at once.
std::string fault_of_attention(const std::string& score, const AttentionOptions& options,
                               const Indices& lengths) {
  const Attention attention(score, options);
  const Tensor keys = input({4, 3, options.key_size}), values = input({4, 3, options.value_size});
  const Tensor queries = input({3, 3, options.query_size});
  return fault(attention, {keys, values, queries}, [&] {
    const Memory memory = attention.memorize(keys, values, lengths);
    AttentionResult found;
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < 2; ++t) {
      found = attention.attend(queries[t], memory, found.next, {.weights = true});
      outputs.insert(outputs.end(), {found.context, found.weights});
    }
    for (const bool causal : {false, true}) {
      found = attention.attend(queries, memory, {.causal = causal, .weights = true});
      outputs.insert(outputs.end(), {found.context, found.weights});
    }
    return outputs;
  });
}

}  // namespace

TEST_CASE("gradients of Linear are right", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(1);
  CHECK(fault_of_x(Linear(3, 5), {4, 3}) == "");
  CHECK(fault_of_x(Linear(3, 5), {2, 3, 3}) == "");
  CHECK(fault_of_x(Linear(3, 1, false), {7, 3}) == "");
}

TEST_CASE("gradients of Embedding are right, also where an id is used twice", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const Embedding layer(5, 3);
  CHECK(fault(layer, {}, [&] { return std::vector<Tensor>{layer({1, 4, 1, 0})}; }) == "");
}

TEST_CASE("gradients of FeedForward are right for every activation", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(3);
  for (const std::string& activation : activation_names()) {
    INFO(activation);
    CHECK(fault_of_x(FeedForward({3, 5, 4, 2}, activation), {3, 3}) == "");
  }
}

TEST_CASE("gradients of FeedForward are right under dropout", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(4);
  const FeedForward layer({3, 7, 2}, "tanh", 0.5);
  const Tensor x = input({4, 3});
  CHECK(fault(layer, {x}, [&] {
          seed(5);  // the same mask every time
          return std::vector<Tensor>{layer(x)};
        }) == "");
}

TEST_CASE("gradients of LayerNorm are right", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(5);
  LayerNorm layer(5);
  Array gain({5}, DType::f64), bias({5}, DType::f64);
  generator().normal(gain, 0, 1);
  generator().normal(bias, 0, 1);
  layer.load({{"weight", gain}, {"bias", bias}});
  CHECK(fault_of_x(layer, {3, 2, 5}) == "");
}

TEST_CASE("gradients of Softmax are right over any axis and with lengths", "[gradient]") {
  seed(6);
  for (const int axis : {0, 1, -1}) CHECK(fault_of_x(Softmax(axis), {3, 4, 5}) == "");
  const Softmax layer;
  const Tensor x = input({3, 5});
  CHECK(fault(layer, {x}, [&] { return std::vector<Tensor>{layer(x, {2, 0, 5})}; }) == "");
}

TEST_CASE("gradients of every recurrent cell are right", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(7);
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    const auto cell = make_cell(kind, 3, 5);
    const Tensor x = input({4, 3});
    const RecurrentState state = random_state(kind, 4, 5);
    std::vector<Tensor> inputs = {x};
    append(inputs, state);
    CHECK(fault(*cell, inputs, [&] {
            std::vector<Tensor> outputs;
            append(outputs, (*cell)(x, state));
            return outputs;
          }) == "");
  }
}

TEST_CASE("gradients of every recurrent network over a sequence are right", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(8);
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    CHECK(fault_of_network(kind, {}, {}) == "");
    CHECK(fault_of_network(kind, {}, {2, 5, 0}) == "");
  }
}

TEST_CASE("gradients of every stacked recurrent network in two directions are right",
          "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(9);
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    CHECK(fault_of_network(kind, {.layers = 2, .bidirectional = true}, {}) == "");
    CHECK(fault_of_network(kind, {.layers = 2, .bidirectional = true}, {3, 1, 5}) == "");
  }
}

TEST_CASE("a loss on the last states alone gives a recurrent network right gradients",
          "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(10);
  for (const std::string& kind : cell_names()) {
    INFO(kind);
    const Recurrent network(kind, 2, 3, {.bidirectional = true});
    const Tensor x = input({4, 2, 2});
    CHECK(fault(network, {x}, [&] {
            const RecurrentResult result = network(x, {4, 2});
            return std::vector<Tensor>{result.states[0].h, result.states[1].h};
          }) == "");
  }
}

TEST_CASE("gradients of attention are right for every score, normaliser and number of heads",
          "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(11);
  for (const std::string& score : score_names())
    for (const std::string& normalizer : normalizer_names())
      for (const std::int64_t heads : {1, 2, 3}) {
        INFO(score << ", " << normalizer << ", " << heads << " heads");
        const bool equal_sizes = score != "general" && score != "additive";
        const std::int64_t query_size = heads == 1 ? (equal_sizes ? 3 : 2) : 2 * heads;
        const AttentionOptions options{.query_size = query_size,
                                       .key_size = 3,
                                       .value_size = 2,
                                       .hidden = 5,
                                       .heads = heads,
                                       .normalizer = normalizer};
        CHECK(fault_of_attention(score, options, {}) == "");
        CHECK(fault_of_attention(score, options, {4, 0, 2}) == "");
      }
}
