#include "golden_layer.h"
#include "attune/autograd/ops/shaping.h"
#include "attune/autograd/ops/softmax.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// The values come from tests/golden/make_golden.py. Every comparison is in float64, to 1e-9.
namespace {

const auto of_x = [](const auto& layer, const GoldenInputs& inputs, const Golden&) -> NamedTensors {
  return {{"y", layer(inputs["x"])}};
};

std::string compare_cell(const std::string& kind) {
  const DefaultDType f64(DType::f64);
  const Golden golden = read_golden("recurrent", kind + " cell");
  const std::shared_ptr<RecurrentCell> cell = make_cell(kind, 4, 5);
  return compare(golden, Layer(*cell), [&](const auto&, const GoldenInputs& inputs, const Golden&) {
    const bool lstm = inputs.has("c");
    const RecurrentState state = (*cell)(inputs["x"], {inputs["h"], lstm ? inputs["c"] : Tensor()});
    NamedTensors outputs = {{"h", state.h}};
    if (lstm) outputs.emplace_back("c", state.c);
    return outputs;
  });
}

std::string compare_network(const std::string& kind, const std::string& what,
                            const RecurrentOptions& options = {}) {
  const DefaultDType f64(DType::f64);
  const auto run = [&](const Recurrent& network, const GoldenInputs& inputs, const Golden& golden) {
    std::vector<RecurrentState> initial;
    if (inputs.has("h"))
      for (int i = 0; i < network.layers() * network.directions(); ++i)
        initial.push_back({inputs["h"][i], inputs.has("c") ? inputs["c"][i] : Tensor()});
    const Indices lengths =
        golden.indices.count("lengths") ? golden.indices.at("lengths") : Indices();
    const RecurrentResult result = network(inputs["x"], lengths, initial);
    std::vector<Tensor> h, c;
    for (const RecurrentState& state : result.states) {
      h.push_back(state.h);
      if (state.c.defined()) c.push_back(state.c);
    }
    NamedTensors outputs = {{"output", result.output}, {"h", stack(h)}};
    if (!c.empty()) outputs.emplace_back("c", stack(c));
    return outputs;
  };
  return compare(read_golden("recurrent", kind + what), Recurrent(kind, 4, 3, options), run);
}

std::string compare_stacked(const std::string& kind) {
  return compare_network(kind, " stacked in two directions", {.layers = 2, .bidirectional = true});
}

std::string compare_attention(const std::string& score, const std::string& what,
                              std::int64_t query_size) {
  const DefaultDType f64(DType::f64);
  const auto run = [](const Attention& attention, const GoldenInputs& inputs,
                      const Golden& golden) -> NamedTensors {
    const Indices lengths =
        golden.indices.count("lengths") ? golden.indices.at("lengths") : Indices();
    const Memory memory = inputs.has("values")
                              ? attention.memorize(inputs["keys"], inputs["values"], lengths)
                              : attention.memorize(inputs["keys"], lengths);
    const AttentionResult result = attention.attend(inputs["query"], memory);
    return {{"context", result.context}, {"weights", result.weights}};
  };
  return compare(read_golden("attention", score + what),
                 Attention(score, {.query_size = query_size, .key_size = 3, .hidden = 4}), run);
}

std::string compare_softmax(const std::string& what, int axis) {
  const auto run = [axis](const Softmax& layer, const GoldenInputs& inputs,
                          const Golden&) -> NamedTensors {
    return {{"y", layer(inputs["x"])}, {"log", log_softmax(inputs["x"], axis)}};
  };
  return compare(read_golden("layers", "softmax over " + what), Softmax(axis), run);
}

}  // namespace

TEST_CASE("Linear gives PyTorch's values and gradients", "[golden]") {
  const DefaultDType f64(DType::f64);
  CHECK(compare(read_golden("layers", "linear"), Linear(4, 3), of_x) == "");
  CHECK(compare(read_golden("layers", "linear without bias"), Linear(4, 3, false), of_x) == "");
}

TEST_CASE("Embedding gives PyTorch's values and gradients", "[golden]") {
  const DefaultDType f64(DType::f64);
  const auto run = [](const Embedding& layer, const GoldenInputs&,
                      const Golden& golden) -> NamedTensors {
    return {{"y", layer(golden.indices.at("ids"))}};
  };
  CHECK(compare(read_golden("layers", "embedding"), Embedding(7, 3), run) == "");
}

TEST_CASE("FeedForward gives PyTorch's values and gradients", "[golden]") {
  const DefaultDType f64(DType::f64);
  CHECK(compare(read_golden("layers", "feed forward"), FeedForward({3, 5, 4, 2}, "gelu"), of_x) ==
        "");
}

TEST_CASE("LayerNorm gives PyTorch's values and gradients", "[golden]") {
  const DefaultDType f64(DType::f64);
  CHECK(compare(read_golden("layers", "layer norm"), LayerNorm(5), of_x) == "");
}

TEST_CASE("Softmax and log_softmax give PyTorch's values and gradients over any axis", "[golden]") {
  CHECK(compare_softmax("the last axis", -1) == "");
  CHECK(compare_softmax("the first axis", 0) == "");
  CHECK(compare_softmax("a middle axis", 1) == "");
}

TEST_CASE("Dropout under Eval gives PyTorch's values and gradients", "[golden]") {
  const Eval eval;
  CHECK(compare(read_golden("layers", "dropout in use"), Dropout(0.5), of_x) == "");
}

TEST_CASE("a cell of RNN with tanh gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_cell("rnn") == "");
}
TEST_CASE("a cell of RNN with relu gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_cell("rnn_relu") == "");
}
TEST_CASE("a cell of GRU gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_cell("gru") == "");
}
TEST_CASE("a cell of LSTM gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_cell("lstm") == "");
}

TEST_CASE("RNN with tanh over a sequence gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_network("rnn", "") == "");
}
TEST_CASE("RNN with relu over a sequence gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_network("rnn_relu", "") == "");
}
TEST_CASE("GRU over a sequence gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_network("gru", "") == "");
}
TEST_CASE("LSTM over a sequence gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_network("lstm", "") == "");
}

TEST_CASE("RNN with tanh over sequences of different lengths gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_network("rnn", " with lengths") == "");
}
TEST_CASE("RNN with relu over sequences of different lengths gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_network("rnn_relu", " with lengths") == "");
}
TEST_CASE("GRU over sequences of different lengths gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_network("gru", " with lengths") == "");
}
TEST_CASE("LSTM over sequences of different lengths gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_network("lstm", " with lengths") == "");
}

TEST_CASE("a stack of two RNNs with tanh in two directions gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_stacked("rnn") == "");
}
TEST_CASE("a stack of two RNNs with relu in two directions gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_stacked("rnn_relu") == "");
}
TEST_CASE("a stack of two GRUs in two directions gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_stacked("gru") == "");
}
TEST_CASE("a stack of two LSTMs in two directions gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_stacked("lstm") == "");
}

TEST_CASE("attention by dot products gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_attention("dot", "", 3) == "");
  CHECK(compare_attention("dot", " with lengths", 3) == "");
}
TEST_CASE("attention by the general score gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_attention("general", "", 2) == "");
  CHECK(compare_attention("general", " with lengths", 2) == "");
}
TEST_CASE("attention by the additive score gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_attention("additive", "", 2) == "");
  CHECK(compare_attention("additive", " with lengths", 2) == "");
  CHECK(compare_attention("additive", " with values", 2) == "");
}
