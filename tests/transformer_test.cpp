#include <cmath>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

namespace {

Array random_array(const Shape& shape, DType dtype = DType::f32) {
  Array array(shape, dtype);
  generator().normal(array, 0, 1);
  return array;
}

// The largest difference between elements of two arrays of one shape.
double distance(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i)
    largest = std::max(largest, std::fabs(a.at(i) - b.at(i)));
  return largest;
}

std::vector<std::string> names_in(const Layer& layer) {
  std::vector<std::string> names;
  for (const Param& param : layer.parameters()) names.push_back(param.name);
  return names;
}

TransformerOptions small(bool norm_first = false, double dropout = 0) {
  return {.features = 6,
          .heads = 2,
          .feed_forward = 7,
          .activation = "gelu",
          .dropout = dropout,
          .norm_first = norm_first};
}

// "" if the gradients of the layer's parameters and of the inputs agree with finite differences.
std::string fault(const Layer& layer, const std::vector<Tensor>& inputs,
                  const std::function<std::vector<Tensor>()>& function) {
  std::vector<std::pair<std::string, Tensor>> leaves;
  for (const Param& param : layer.parameters()) leaves.emplace_back(param.name, param.value);
  for (std::size_t i = 0; i < inputs.size(); ++i)
    leaves.emplace_back("input " + std::to_string(i), inputs[i]);
  return gradcheck(function, leaves).message;
}

Tensor input(const Shape& shape) { return Tensor::parameter(random_array(shape, DType::f64)); }

}  // namespace

// Attention of whole sequences

TEST_CASE("attention of sequences is finite for huge scores, with large and small keys") {
  const Tensor query(Array::full({70, 1, 2}, 300));
  Array key = random_array({130, 1, 2});
  for (std::int64_t i = 0; i < key.elements(); ++i) key.set(i, 300 * key.at(i));
  const Tensor value(random_array({130, 1, 2}));
  const auto [context, weights] = scaled_dot_product_attention_with_weights(query, key, value);
  CHECK(context.value().all_finite());
  CHECK(weights.value().all_finite());
}

TEST_CASE("attention of sequences ignores NaN beyond a length and propagates NaN within it") {
  Array key = random_array({5, 2, 4}), value = random_array({5, 2, 4});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (std::int64_t i = 0; i < 4; ++i) {  // position 4 of row 0
    key.set(4 * 8 + i, nan);
    value.set(4 * 8 + i, nan);
  }
  Tensor query = Tensor::parameter(random_array({3, 2, 4}));
  const auto context = [&](const Indices& lengths) {
    return scaled_dot_product_attention(query, key, value,
                                        {.heads = 2, .mask = Mask::lengths(lengths)});
  };
  const Tensor hidden = context({4, 5});
  CHECK(hidden.value().all_finite());
  sum(square(hidden)).backward();
  CHECK(query.grad().all_finite());
  CHECK(std::isnan(context({5, 5}).value().at(0)));
}

TEST_CASE("a sequence of length 0 has context 0 and propagates neither gradients nor NaN") {
  std::vector<Tensor> x;
  for (int i = 0; i < 3; ++i) x.push_back(Tensor::parameter(random_array({3, 2, 4})));
  const auto [context, weights] = scaled_dot_product_attention_with_weights(
      x[0], x[1], x[2], {.heads = 2, .mask = Mask::lengths({0, 3})});
  (sum(square(context)) + sum(square(weights))).backward();
  for (std::int64_t t = 0; t < 3; ++t)
    for (std::int64_t i = 0; i < 4; ++i) {
      CHECK(context.value().at(t * 8 + i) == 0);
      for (const Tensor& one : x) CHECK(one.grad().at(t * 8 + i) == 0);
    }
  for (std::int64_t i = 0; i < 2 * 3 * 3; ++i) CHECK(weights.value().at(i) == 0);
  for (const Tensor& one : x) CHECK(one.grad().all_finite());
}

TEST_CASE("attention of empty sequences gives empty or zero results") {
  const Tensor none(Array::zeros({0, 2, 4})), some(random_array({3, 2, 4}));
  CHECK(scaled_dot_product_attention(none, some, some).elements() == 0);
  CHECK(scaled_dot_product_attention(some, none, none).value().to_vector() ==
        std::vector<float>(24, 0));
}

TEST_CASE("attention of sequences does not store the matrix of scores") {
  const std::int64_t length = 4096;
  const Tensor x = Tensor::parameter(random_array({length, 1, 8}));
  const std::uint64_t before = pool::statistics().system_bytes;
  sum(scaled_dot_product_attention(x, x, x, {.mask = Mask::causal()})).backward();
  // A matrix of scores would take 64 MB; x takes 128 kB.
  CHECK(pool::statistics().system_bytes - before < 4'000'000);
}

// The layer with several heads

TEST_CASE("MultiHeadAttention's parameters have readable names") {
  CHECK(names_in(MultiHeadAttention(4, 2)) ==
        std::vector<std::string>{"query.weight", "query.bias", "key.weight", "key.bias",
                                 "value.weight", "value.bias", "out.weight", "out.bias"});
  CHECK(names_in(MultiHeadAttention(4, 2, {.bias = false})).size() == 4);
  CHECK(MultiHeadAttention(6, 3, {.key_size = 5}).parameter_count() ==
        2 * (6 * 6 + 6) + 2 * (6 * 5 + 6));
}

TEST_CASE("gradients of MultiHeadAttention match finite differences", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(1);
  for (const std::int64_t heads : {1, 2, 3}) {
    const MultiHeadAttention attention(6, heads, {.key_size = 5, .value_size = 3});
    const Tensor query = input({2, 3, 6}), keys = input({4, 3, 5}), values = input({4, 3, 3});
    CHECK(fault(attention, {query, keys, values}, [&] {
            const Memory memory = attention.memorize(keys, values, {4, 0, 2});
            const AttentionResult found = attention.attend(query, memory, {.weights = true});
            return std::vector<Tensor>{found.context, found.weights};
          }) == "");
  }
}

TEST_CASE("gradients of self-attention with MultiHeadAttention match finite differences",
          "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const MultiHeadAttention attention(6, 2);
  const Tensor x = input({5, 3, 6});
  CHECK(fault(attention, {x}, [&] {
          return std::vector<Tensor>{attention(x, {5, 1, 3}), attention(x, {}, Mask::causal())};
        }) == "");
}

TEST_CASE("each head's weights add up to 1, and causal weights of later positions are 0") {
  seed(3);
  const MultiHeadAttention attention(6, 3);
  const Tensor x(random_array({4, 2, 6}));
  const AttentionResult found =
      attention.attend(x, attention.memorize(x, {4, 2}), {.mask = Mask::causal(), .weights = true});
  REQUIRE(found.weights.shape() == Shape({2, 3, 4, 4}));
  const float* row = found.weights.value().data<float>();
  for (std::int64_t b = 0; b < 2; ++b)
    for (int head = 0; head < 3; ++head)
      for (std::int64_t t = 0; t < 4; ++t, row += 4) {
        CHECK(row[0] + row[1] + row[2] + row[3] == Approx(1));
        for (std::int64_t s = 0; s < 4; ++s)
          if (s > t || (b == 1 && s >= 2)) CHECK(row[s] == 0);
      }
}

TEST_CASE("requesting the weights does not change other results") {
  seed(4);
  const MultiHeadAttention attention(6, 2);
  const Tensor x(random_array({4, 2, 6}));
  const Memory memory = attention.memorize(x);
  const AttentionResult plain = attention.attend(x, memory);
  CHECK_FALSE(plain.weights.defined());
  CHECK(plain.context.value().to_vector() ==
        attention.attend(x, memory, {.weights = true}).context.value().to_vector());
}

TEST_CASE("a memory extended position by position gives the same results as the whole one") {
  const DefaultDType f64(DType::f64);
  seed(5);
  const MultiHeadAttention attention(6, 2);
  const Tensor x(random_array({5, 3, 6}, DType::f64));
  const Array whole = attention(x, {}, Mask::causal()).value();
  Memory memory;
  for (std::int64_t t = 0; t < 5; ++t) {
    const Tensor now = slice(x, 0, t, t + 1);
    memory = attention.append(memory, now);
    CHECK(distance(attention.attend(now, memory, {.mask = Mask::causal()}).context.value()[0],
                   whole[t]) < 1e-12);
  }
  // With several new positions at once, causal attention still hides later ones from earlier ones.
  memory = attention.append({}, slice(x, 0, 0, 2));
  memory = attention.append(memory, slice(x, 0, 2, 5));
  const Array rest =
      attention.attend(slice(x, 0, 2, 5), memory, {.mask = Mask::causal()}).context.value();
  CHECK(distance(rest, whole.block(2, 3)) < 1e-12);
}

TEST_CASE("MultiHeadAttention's errors name the mismatch") {
  CHECK_THROWS_WITH(MultiHeadAttention(6, 4),
                    "attention: 6 features cannot be divided among 4 heads; use a "
                    "multiple of the heads");
  CHECK_THROWS_WITH(MultiHeadAttention(6, 0), contains("among 0 heads"));
  const MultiHeadAttention attention(6, 2);
  const Array x = Array::zeros({3, 2, 6});
  CHECK_THROWS_WITH(attention(x, {1, 4}), contains("length 4 of sequence 1 is outside [0, 3]"));
  CHECK_THROWS_WITH(attention(x, {1}), contains("lengths must be [2]"));
  CHECK_THROWS_WITH(attention.attend(x, {}), contains("the memory is empty; memorize() first"));
  CHECK_THROWS_WITH(attention.append(attention.memorize(x, {1, 2}), x),
                    contains("a memory with lengths cannot be extended"));
}

// Positions

TEST_CASE("sinusoidal positions match the paper's formula") {
  const SinusoidalPositionalEncoding positions(5);
  const Array p = positions(Array::zeros({4, 2, 5}, DType::f64)).value();
  for (std::int64_t t = 0; t < 4; ++t)
    for (std::int64_t b = 0; b < 2; ++b)
      for (std::int64_t i = 0; i < 5; ++i) {
        const double angle = static_cast<double>(t) / std::pow(10000.0, (i - i % 2) / 5.0);
        CHECK(p.at((t * 2 + b) * 5 + i) ==
              Approx(i % 2 == 0 ? std::sin(angle) : std::cos(angle)).margin(1e-15));
      }
}

TEST_CASE("every positional encoding can start at an offset") {
  const DefaultDType f64(DType::f64);
  seed(6);
  for (const std::string& kind : positional_encoding_names()) {
    INFO(kind);
    const auto positions = make_positional_encoding(kind, {.features = 4});
    const Tensor x(random_array({5, 2, 4}, DType::f64));
    const Array whole = (*positions)(x).value();
    CHECK(distance((*positions)(slice(x, 0, 3, 5), 3).value(), whole.block(3, 2)) == 0);
    const Tensor leaf = input({3, 2, 4});
    CHECK(fault(*positions, {leaf}, [&] { return std::vector<Tensor>{(*positions)(leaf, 2)}; }) ==
          "");
  }
}

TEST_CASE("positional encodings reject too long sequences and mismatched sizes") {
  const LearnedPositionalEncoding learned(4, 7);
  CHECK(learned.parameter_count() == 28);
  CHECK(learned(Array::zeros({3, 2, 4}), 4).shape() == Shape({3, 2, 4}));
  CHECK_THROWS_WITH(learned(Array::zeros({3, 2, 4}), 5),
                    "LearnedPositionalEncoding: 3 positions from 5 on exceed the 7 learned ones; "
                    "shorten the sequence, or use sinusoidal positions, which have no limit");
  CHECK_THROWS_WITH(learned(Array::zeros({3, 2, 5})), contains("x must be [T, B, 4]"));
  const SinusoidalPositionalEncoding waves(4);
  CHECK_THROWS_WITH(waves(Array::zeros({3, 4})),
                    "SinusoidalPositionalEncoding: x must be [T, B, 4], time first; got [3, 4]");
  CHECK_THROWS_WITH(waves(Array::zeros({3, 1, 4}), -1), contains("the first position is -1"));
  CHECK_THROWS_WITH(SinusoidalPositionalEncoding(0), contains("0 features"));
}

// The Transformer's layers

TEST_CASE("the Transformer's parameters have readable names") {
  CHECK(names_in(TransformerEncoderLayer(small())) ==
        std::vector<std::string>{
            "self_attention.query.weight", "self_attention.query.bias", "self_attention.key.weight",
            "self_attention.key.bias", "self_attention.value.weight", "self_attention.value.bias",
            "self_attention.out.weight", "self_attention.out.bias", "feed_forward.layer0.weight",
            "feed_forward.layer0.bias", "feed_forward.layer1.weight", "feed_forward.layer1.bias",
            "norm1.weight", "norm1.bias", "norm2.weight", "norm2.bias"});
  const std::vector<std::string> last = names_in(TransformerDecoder(small(true), 2));
  CHECK(last.size() == 2 * (8 + 8 + 4 + 6) + 2);
  CHECK(last[34] == "layer1.cross_attention.query.weight");
  CHECK(last.back() == "norm.bias");
  CHECK(names_in(TransformerEncoder(small(false), 2)).back() == "layer1.norm2.bias");
}

TEST_CASE("gradients of a Transformer layer are correct with dropout", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(8);
  const TransformerEncoderLayer layer(small(true, 0.4));
  const Tensor x = input({3, 2, 6});
  CHECK(fault(layer, {x}, [&] {
          seed(9);  // the same mask every time
          return std::vector<Tensor>{layer(x)};
        }) == "");
}

TEST_CASE("values beyond a length do not affect results within it, in encoder and decoder") {
  seed(10);
  const TransformerEncoder encoder(small(), 2);
  const TransformerDecoder decoder(small(), 2);
  Array x = random_array({4, 2, 6});
  Array changed = x.clone();
  for (std::int64_t t = 2; t < 4; ++t)
    for (std::int64_t i = 0; i < 6; ++i) changed.set((t * 2 + 1) * 6 + i, 99);
  const Indices lengths{4, 2};
  const Array a = encoder(x, lengths).value(), b = encoder(changed, lengths).value();
  for (std::int64_t t = 0; t < 4; ++t)
    for (std::int64_t i = 0; i < 12; ++i)
      if (i < 6 || t < 2) CHECK(a.at(t * 12 + i) == b.at(t * 12 + i));
  const Tensor y(random_array({3, 2, 6}));
  CHECK(decoder(y, decoder.memorize(x, lengths)).output.value().to_vector() ==
        decoder(y, decoder.memorize(changed, lengths)).output.value().to_vector());
}

TEST_CASE("step-by-step decoding gives the same output as the whole target at once") {
  const DefaultDType f64(DType::f64);
  for (const bool norm_first : {false, true}) {
    seed(11);
    const TransformerDecoder decoder(small(norm_first), 3);
    const Tensor x(random_array({5, 2, 6}, DType::f64));
    const auto source = decoder.memorize(Tensor(random_array({4, 2, 6}, DType::f64)), {4, 3});
    const TransformerDecoderResult whole = decoder(x, source, {}, {.weights = true});
    REQUIRE(whole.weights.size() == 3);
    CHECK(whole.weights[2].shape() == Shape({2, 2, 5, 4}));
    std::vector<SeenPositions> seen;
    for (std::int64_t t = 0; t < 5; ++t) {
      const TransformerDecoderResult step = decoder(slice(x, 0, t, t + 1), source, seen);
      CHECK(distance(step.output.value()[0], whole.output.value()[t]) < 1e-12);
      CHECK(step.weights.empty());
      seen = step.seen;
    }
  }
}

TEST_CASE("step-by-step decoding with local attention matches the whole target at once") {
  const DefaultDType f64(DType::f64);
  seed(13);
  const TransformerDecoder decoder(small(false), 2);
  const Tensor x(random_array({6, 2, 6}, DType::f64));
  const auto source = decoder.memorize(Tensor(random_array({6, 2, 6}, DType::f64)), {6, 4});
  // Attention to one position back in the target, and to one on either side in the source.
  const DecodeOptions local{.mask = Mask::window(1, 0), .source_mask = Mask::window(1, 1, 0)};
  const Array whole = decoder(x, source, {}, local).output.value();
  CHECK(distance(whole, decoder(x, source).output.value()) > 1e-3);
  std::vector<SeenPositions> seen;
  for (std::int64_t t = 0; t < 6; ++t) {
    const DecodeOptions now{.mask = Mask::window(1, 0), .source_mask = Mask::window(1, 1, t)};
    const TransformerDecoderResult step = decoder(slice(x, 0, t, t + 1), source, seen, now);
    CHECK(distance(step.output.value()[0], whole[t]) < 1e-12);
    seen = step.seen;
  }
  // In two layers, an output depends on up to two positions back.
  Tensor other(x.value().clone());
  for (std::int64_t i = 0; i < 12; ++i) other.value().set(12 + i, 0.5);
  const Array after = decoder(other, source, {}, local).output.value();
  for (std::int64_t t = 0; t < 6; ++t) {
    INFO("position " << t);
    CHECK((distance(whole[t], after[t]) == 0) == (t < 1 || t > 3));
  }
}

TEST_CASE("gradients of a decoder with masks are correct", "[gradient]") {
  const DefaultDType f64(DType::f64);
  seed(14);
  const TransformerDecoder decoder(small(true), 1);
  const Tensor x = input({4, 2, 6}), states = input({3, 2, 6});
  const Tensor bias = input({2, 4, 4}), source_bias = input({4, 3});
  CHECK(fault(decoder, {x, states, bias, source_bias}, [&] {
          const DecodeOptions options{.mask = Mask::bias(bias) & Mask::window(2, 0),
                                      .source_mask = Mask::bias(source_bias),
                                      .weights = true};
          const auto found = decoder(x, decoder.memorize(states, {3, 2}), {}, options);
          return std::vector<Tensor>{found.output, found.weights[0]};
        }) == "");
}

TEST_CASE("dropout of a Transformer layer is disabled under Eval") {
  seed(12);
  const TransformerEncoderLayer layer(small(false, 0.5));
  const Tensor x(random_array({3, 2, 6}));
  CHECK(layer(x).value().to_vector() != layer(x).value().to_vector());
  const Eval eval;
  CHECK(layer(x).value().to_vector() == layer(x).value().to_vector());
}

TEST_CASE("the Transformer's errors name the mismatch") {
  CHECK_THROWS_WITH(TransformerEncoder(small(), 0),
                    "TransformerEncoder: 0 layers; expected at least 1");
  CHECK_THROWS_WITH(TransformerDecoder(small(), -1), contains("TransformerDecoder: -1 layers"));
  CHECK_THROWS_WITH(TransformerEncoderLayer({.features = 6, .heads = 4}),
                    contains("among 4 heads"));
  CHECK_THROWS_WITH(TransformerEncoderLayer({.activation = "swoosh"}), contains("'swoosh'"));
  const TransformerDecoder decoder(small(), 2);
  const Array x = Array::zeros({3, 2, 6});
  CHECK_THROWS_WITH(decoder(x, {}),
                    "TransformerDecoder: 0 memories of the source and 0 of what was seen; expected "
                    "2, one for each layer (and none seen at first)");
  const TransformerDecoder alone(small(), 2, /*cross_attention=*/false);
  CHECK_THROWS_WITH(alone(x, decoder.memorize(x)),
                    contains("2 memories of a source given; expected none"));
  CHECK_THROWS_WITH(alone.memorize(x), contains("made without cross-attention"));
}
