#include "attention_members.h"
#include "attune/autograd/array/random.h"
#include "attune/autograd/gradcheck.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// Gradients against finite differences in float64 that the rows of layer_cases.h do not cover.
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

// Checks the gradients of attention with single queries one after another, and with three at once.
std::string fault_of_attention(const std::string& score, const AttentionOptions& options,
                               const Indices& lengths) {
  const Attention attention(score, options);
  const Tensor keys = input({4, 3, options.key_size}), values = input({4, 3, options.value_size});
  const Tensor queries = input({3, 3, options.query_size});
  return fault(attention, {keys, values, queries}, [&] {
    seed(6);  // for normalisers that draw noise
    const Memory memory = attention.memorize(keys, values, lengths);
    AttentionResult found;
    std::vector<Tensor> outputs;
    for (std::int64_t t = 0; t < 2; ++t) {
      found = attention.attend(queries[t], memory, found.next, {.weights = true});
      outputs.insert(outputs.end(), {found.context, found.weights});
      if (found.penalty.defined()) outputs.push_back(found.penalty);
    }
    for (const Mask& mask : {Mask(), Mask::causal()}) {
      found = attention.attend(queries, memory, {.mask = mask, .weights = true});
      outputs.insert(outputs.end(), {found.context, found.weights});
    }
    return outputs;
  });
}

}  // namespace

TEST_CASE("gradients of FeedForward are correct with dropout", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(4);
  const FeedForward layer({3, 7, 2}, "tanh", 0.5);
  const Tensor x = input({4, 3});
  CHECK(fault(layer, {x}, [&] {
          seed(5);  // the same mask every time
          return std::vector<Tensor>{layer(x)};
        }) == "");
}

TEST_CASE("gradients of a loss on only the last states of a recurrent network are correct",
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

TEST_CASE("gradients of attention are correct for every score, normaliser and number of heads",
          "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(11);
  for (const auto& [score, normalizer] : scores_with_normalizers())
    for (const std::int64_t heads : {1, 3}) {
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
  for (const std::string locality : {"local_m:window=1", "local_p:window=2,hidden=4"})
    for (const std::int64_t heads : {1, 2}) {
      INFO(locality << ", " << heads << " heads");
      const AttentionOptions options{
          .query_size = 4, .key_size = 4, .value_size = 2, .heads = heads, .locality = locality};
      CHECK(fault_of_attention("dot", options, {}) == "");
      CHECK(fault_of_attention("dot", options, {4, 0, 2}) == "");
    }
}
