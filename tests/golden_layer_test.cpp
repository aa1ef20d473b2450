#include "golden_layer.h"

#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// The values come from tests/golden/make_golden.py. Every comparison is in float64, to 1e-9. Most
// layers are compared by their rows in layer_cases.h.
namespace {

const auto of_x = [](const auto& layer, const GoldenInputs& inputs, const Golden&) -> NamedTensors {
  return {{"y", layer(inputs["x"])}};
};

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

}  // namespace

TEST_CASE("Dropout under Eval gives PyTorch's values and gradients", "[golden]") {
  const Eval eval;
  CHECK(compare(read_golden("layers", "dropout in use"), Dropout(0.5), of_x) == "");
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
