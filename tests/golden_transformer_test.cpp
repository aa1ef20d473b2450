#include "attune/autograd/ops/multi_head_attention.h"
#include "attune/autograd/scopes.h"
#include "attune/layers/all.h"
#include "catch.h"
#include "golden_layer.h"

using namespace attune;

// The values come from tests/golden/make_golden.py. Every comparison is in float64, to 1e-9.
namespace {

Indices lengths_of(const Golden& golden) {
  return golden.indices.count("lengths") ? golden.indices.at("lengths") : Indices();
}

std::string compare_multi_head(const std::string& what, const MultiHeadAttentionOptions& options,
                               const Mask& mask = {}) {
  const DefaultDType f64(DType::f64);
  const auto run = [=](const MultiHeadAttention& attention, const GoldenInputs& inputs,
                       const Golden& golden) -> NamedTensors {
    const bool itself = inputs.has("x");
    const Memory memory =
        itself ? attention.memorize(inputs["x"], lengths_of(golden))
               : attention.memorize(inputs["keys"], inputs["values"], lengths_of(golden));
    const AttentionResult result = attention.attend(itself ? inputs["x"] : inputs["query"], memory,
                                                    {.mask = mask, .weights = true});
    return {{"output", result.context}, {"weights", result.weights}};
  };
  return compare(read_golden("transformer", "multi-head attention" + what),
                 MultiHeadAttention(6, 2, options), run);
}

TransformerOptions small(const std::string& activation, bool norm_first) {
  return {.features = 4,
          .heads = 2,
          .feed_forward = 5,
          .activation = activation,
          .dropout = 0,
          .norm_first = norm_first};
}

std::string compare_encoder_layer(const std::string& activation, bool norm_first) {
  const DefaultDType f64(DType::f64);
  const auto run = [](const auto& layer, const GoldenInputs& inputs,
                      const Golden& golden) -> NamedTensors {
    return {{"output", layer(inputs["x"], lengths_of(golden))}};
  };
  const std::string name = "encoder layer with " + activation + (norm_first ? ", norm first" : "");
  return compare(read_golden("transformer", name),
                 TransformerEncoderLayer(small(activation, norm_first)), run);
}

std::string compare_encoder(const std::string& activation, bool norm_first) {
  const DefaultDType f64(DType::f64);
  const auto run = [](const auto& encoder, const GoldenInputs& inputs,
                      const Golden& golden) -> NamedTensors {
    return {{"output", encoder(inputs["x"], lengths_of(golden))}};
  };
  return compare(
      read_golden("transformer", std::string("encoder stack") + (norm_first ? ", norm first" : "")),
      TransformerEncoder(small(activation, norm_first), 2), run);
}

// For a layer and for a stack.
const auto decode = [](const auto& decoder, const GoldenInputs& inputs,
                       const Golden& golden) -> NamedTensors {
  return {{"output",
           decoder(inputs["x"], decoder.memorize(inputs["source"], lengths_of(golden))).output}};
};

std::string compare_decoder_layer(const std::string& activation, bool norm_first) {
  const DefaultDType f64(DType::f64);
  const std::string name = "decoder layer with " + activation + (norm_first ? ", norm first" : "");
  return compare(read_golden("transformer", name),
                 TransformerDecoderLayer(small(activation, norm_first)), decode);
}

std::string compare_decoder(const std::string& activation, bool norm_first) {
  const DefaultDType f64(DType::f64);
  return compare(
      read_golden("transformer", std::string("decoder stack") + (norm_first ? ", norm first" : "")),
      TransformerDecoder(small(activation, norm_first), 2), decode);
}

}  // namespace

TEST_CASE("MultiHeadAttention gives PyTorch's values, weights of each head and gradients",
          "[golden]") {
  CHECK(compare_multi_head("", {}) == "");
}

TEST_CASE("MultiHeadAttention over different lengths gives PyTorch's values and gradients",
          "[golden]") {
  CHECK(compare_multi_head(" with lengths", {}) == "");
}

TEST_CASE("scaled dot-product attention with a bias in a window gives PyTorch's values",
          "[golden]") {
  const Golden golden =
      read_golden("transformer", "scaled dot-product attention with a float mask");
  const GoldenInputs inputs(golden);
  const Tensor context = scaled_dot_product_attention(
      inputs["query"], inputs["key"], inputs["value"],
      {.heads = 2, .mask = Mask::bias(inputs["bias"]) & Mask::window(2, 1, /*offset=*/3)});
  CHECK(difference(golden, {{"context", context}}, inputs.leaves) == "");
}

TEST_CASE("MultiHeadAttention that is causal gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_multi_head(" that is causal", {}, Mask::causal()) == "");
}

TEST_CASE("MultiHeadAttention over another sequence with other sizes gives PyTorch's values",
          "[golden]") {
  CHECK(compare_multi_head(" of another sequence", {.key_size = 4, .value_size = 5}) == "");
}

TEST_CASE("TransformerEncoderLayer gives PyTorch's values and gradients", "[golden]") {
  for (const bool norm_first : {false, true}) {
    CHECK(compare_encoder_layer("relu", norm_first) == "");
    CHECK(compare_encoder_layer("gelu", norm_first) == "");
  }
}

TEST_CASE("TransformerDecoderLayer gives PyTorch's values and gradients", "[golden]") {
  for (const bool norm_first : {false, true}) {
    CHECK(compare_decoder_layer("relu", norm_first) == "");
    CHECK(compare_decoder_layer("gelu", norm_first) == "");
  }
}

TEST_CASE("a stack of Transformer layers gives PyTorch's values and gradients", "[golden]") {
  CHECK(compare_encoder("relu", false) == "");
  CHECK(compare_encoder("gelu", true) == "");
  CHECK(compare_decoder("relu", false) == "");
  CHECK(compare_decoder("gelu", true) == "");
}
