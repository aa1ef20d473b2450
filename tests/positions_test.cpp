// Positional encodings in self-attention, against plain loops over the papers' equations.
#include <cmath>
#include <complex>
#include <functional>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

constexpr std::int64_t kFeatures = 12, kHeads = 2, kSize = kFeatures / kHeads;

std::shared_ptr<PositionalEncoding> make_encoding(const std::string& text,
                                                  bool bidirectional = true) {
  return make_positional_encoding(
      text, {.features = kFeatures, .heads = kHeads, .layers = 2, .bidirectional = bidirectional});
}

Tensor random(const Shape& shape) { return random_normal(shape, DType::f64); }

Array value_of(const Layer& layer, const std::string& name) {
  for (const Param& param : layer.parameters())
    if (param.name == name) return param.value.value();
  FAIL("no parameter " << name);
  return {};
}

// One head's queries, keys and values of one sequence; score(t, s) and what is added to value s for
// query t, as a function of the feature.
struct Head {
  std::int64_t index;
  std::function<double(std::int64_t, std::int64_t)> q, k, v;  // (position, feature)
};
using Score = std::function<double(const Head&, std::int64_t t, std::int64_t s)>;
using Added = std::function<double(std::int64_t t, std::int64_t s, std::int64_t feature)>;

double dot(const Head& head, std::int64_t t, std::int64_t s) {
  double sum = 0;
  for (std::int64_t i = 0; i < kSize; ++i) sum += head.q(t, i) * head.k(s, i);
  return sum / std::sqrt(static_cast<double>(kSize));
}

// The contexts of all heads, before the projection `out`: [T, B, features].
Array expected_contexts(const Array& q, const Array& k, const Array& v, const Indices& lengths,
                        const Score& score, const Added& added) {
  Array contexts = Array::zeros(q.shape(), DType::f64);
  const std::int64_t batch = q.shape()[1];
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t h = 0; h < kHeads; ++h) {
      const auto of = [=](const Array& x) {
        return [=](std::int64_t t, std::int64_t i) {
          return x.at((t * batch + b) * kFeatures + h * kSize + i);
        };
      };
      const Head head{h, of(q), of(k), of(v)};
      for (std::int64_t t = 0; t < q.shape()[0]; ++t) {
        double total = 0;
        for (std::int64_t s = 0; s < lengths.at(b); ++s) total += std::exp(score(head, t, s));
        for (std::int64_t i = 0; i < kSize; ++i) {
          double context = 0;
          for (std::int64_t s = 0; s < lengths.at(b); ++s)
            context += std::exp(score(head, t, s)) / total * (head.v(s, i) + added(t, s, i));
          contexts.set((t * batch + b) * kFeatures + h * kSize + i, context);
        }
      }
    }
  return contexts;
}

// The difference of self-attention in layer 1 with this encoding from the equations.
double fault_of(const MultiHeadAttention& attention, const Score& score, const Added& added) {
  const Tensor x = random({9, 3, kFeatures});
  const Indices lengths = {9, 1, 6};
  const auto project = [&](const std::string& name) {
    return linear(x, Tensor(value_of(attention, name + ".weight")),
                  Tensor(value_of(attention, name + ".bias")))
        .value();
  };
  const Array contexts =
      expected_contexts(project("query"), project("key"), project("value"), lengths, score, added);
  const Tensor expected =
      mask_padding(linear(Tensor(contexts), Tensor(value_of(attention, "out.weight")),
                          Tensor(value_of(attention, "out.bias"))),
                   lengths);
  return distance(attention(x, lengths).value(), expected.value());
}

const Added kNothing = [](auto, auto, auto) { return 0.0; };

MultiHeadAttention attention_with(const std::shared_ptr<PositionalEncoding>& encoding) {
  return MultiHeadAttention(kFeatures, kHeads, {.positions = encoding, .layer = 1});
}

}  // namespace

TEST_CASE("rotary attention is the paper's product of complex numbers") {
  const DefaultDType f64(DType::f64);
  seed(1);
  const auto encoding = make_encoding("rotary:base=30");
  const Score score = [](const Head& head, std::int64_t t, std::int64_t s) {
    double sum = 0;  // Re(q conj(k) e^(i (t - s) f)): eq. 12
    for (std::int64_t i = 0; i < kSize / 2; ++i) {
      const std::complex<double> q(head.q(t, 2 * i), head.q(t, 2 * i + 1));
      const std::complex<double> k(head.k(s, 2 * i), head.k(s, 2 * i + 1));
      const double f = std::pow(30.0, -2.0 * static_cast<double>(i) / kSize);
      sum += (q * std::conj(k) * std::polar(1.0, static_cast<double>(t - s) * f)).real();
    }
    return sum / std::sqrt(static_cast<double>(kSize));
  };
  CHECK(fault_of(attention_with(encoding), score, kNothing) < 1e-12);
}

TEST_CASE("ALiBi lowers scores by slope times distance") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const auto causal = std::make_shared<AlibiPositionalEncoding>(2);
  const Score score = [](const Head& head, std::int64_t t, std::int64_t s) {
    const double slope = head.index == 0 ? 1.0 / 16 : 1.0 / 256;  // 2^(-8 h / 2)
    return dot(head, t, s) - slope * static_cast<double>(std::abs(t - s));
  };
  CHECK(fault_of(attention_with(causal), score, kNothing) < 1e-12);
  // In an encoder, one head sees earlier keys and the other later ones.
  const Score one_sided = [](const Head& head, std::int64_t t, std::int64_t s) {
    if (head.index == 0 ? s > t : s < t) return -std::numeric_limits<double>::infinity();
    return dot(head, t, s) - static_cast<double>(std::abs(t - s)) / 256;
  };
  CHECK(fault_of(attention_with(make_encoding("alibi")), one_sided, kNothing) < 1e-12);
  CHECK(AlibiPositionalEncoding(5, /*bidirectional=*/true).slopes() ==
        std::vector<double>{1.0 / 16, 1.0 / 256, 1.0 / 16, 1.0 / 256, 0.25});
  CHECK(AlibiPositionalEncoding(1, true).slopes() == std::vector<double>{1.0 / 256});
  CHECK(AlibiPositionalEncoding(8).slopes() ==
        std::vector<double>{0.5, 0.25, 0.125, 1.0 / 16, 1.0 / 32, 1.0 / 64, 1.0 / 128, 1.0 / 256});
  CHECK(AlibiPositionalEncoding(6).slopes() ==
        std::vector<double>{0.25, 1.0 / 16, 1.0 / 64, 1.0 / 256, 0.5, 0.125});
  CHECK_THROWS_WITH(AlibiPositionalEncoding(0), contains("0 heads; it needs at least 1"));
}

TEST_CASE("relative positions are added to keys and values, clipped") {
  const DefaultDType f64(DType::f64);
  seed(3);
  const auto encoding = make_encoding("relative:clip=2");
  CHECK(encoding->parameter_count() == 2 * 2 * 5 * kSize);
  const Array keys = value_of(*encoding, "keys1"), values = value_of(*encoding, "values1");
  const auto row = [](std::int64_t t, std::int64_t s) {
    return (std::min<std::int64_t>(2, std::max<std::int64_t>(-2, s - t)) + 2) * kSize;
  };
  const Score score = [&](const Head& head, std::int64_t t, std::int64_t s) {
    double sum = 0;
    for (std::int64_t i = 0; i < kSize; ++i)
      sum += head.q(t, i) * (head.k(s, i) + keys.at(row(t, s) + i));
    return sum / std::sqrt(static_cast<double>(kSize));
  };
  const Added added = [&](std::int64_t t, std::int64_t s, std::int64_t i) {
    return values.at(row(t, s) + i);
  };
  CHECK(fault_of(attention_with(encoding), score, added) < 1e-12);
}

TEST_CASE("T5's positions add a number for each head and bucket") {
  const DefaultDType f64(DType::f64);
  seed(4);
  const auto encoding = make_encoding("t5:buckets=8,furthest=6");
  Array weight = value_of(*encoding, "weight");  // [8, H]
  generator().normal(weight, 0, 1);
  const T5PositionalEncoding same({.heads = kHeads, .buckets = 8, .furthest = 6});
  const Score score = [&](const Head& head, std::int64_t t, std::int64_t s) {
    return dot(head, t, s) + weight.at(same.bucket(s - t) * kHeads + head.index);
  };
  CHECK(fault_of(attention_with(encoding), score, kNothing) < 1e-12);
}

TEST_CASE("T5's buckets are those of the authors' program") {
  const T5PositionalEncoding both({.heads = 1});
  const std::vector<std::pair<int, int>> in_encoder = {
      {0, 0},    {-1, 1},   {-7, 7},   {-8, 8},   {-11, 8},   {-12, 9},   {-16, 10},
      {-23, 11}, {-32, 12}, {-64, 14}, {-91, 15}, {-128, 15}, {-900, 15}, {1, 17},
      {7, 23},   {8, 24},   {16, 26},  {64, 30},  {127, 31},  {128, 31},  {5000, 31}};
  for (const auto& [distance, bucket] : in_encoder) {
    INFO(distance);
    CHECK(both.bucket(distance) == bucket);
  }
  const T5PositionalEncoding causal({.heads = 1, .bidirectional = false});
  const std::vector<std::pair<int, int>> in_decoder = {
      {3, 0}, {0, 0}, {-1, 1}, {-15, 15}, {-16, 16}, {-32, 21}, {-64, 26}, {-127, 31}, {-128, 31}};
  for (const auto& [distance, bucket] : in_decoder) {
    INFO(distance);
    CHECK(causal.bucket(distance) == bucket);
  }
}

TEST_CASE("with any positions, attention step by step equals attention at once") {
  const DefaultDType f64(DType::f64);
  for (const std::string& name : positional_encoding_names()) {
    INFO(name);
    seed(5);
    const auto encoding = make_encoding(name == "relative" ? "relative:clip=3" : name, false);
    const MultiHeadAttention attention = attention_with(encoding);
    const Tensor x = random({70, 2, kFeatures});  // two tiles
    const Mask mask = Mask::causal() & Mask::window(66, 0);
    const Array whole = attention(x, {}, mask).value();
    Memory memory;
    std::int64_t t = 0;
    for (const std::int64_t count : {1, 3, 1, 60, 1, 4}) {
      const Tensor next = slice(x, 0, t, t + count);
      memory = attention.append(memory, next);
      const Array some = attention.attend(next, memory, {.mask = mask}).context.value();
      CHECK(distance(some, whole.block(t, count)) < 1e-12);
      t += count;
    }
    const AttentionResult last = attention.attend(x[69], memory, {.mask = mask, .weights = true});
    CHECK(distance(last.context.value(), whole[69]) < 1e-12);
    CHECK(last.weights.shape() == Shape({2, kHeads, 70}));
  }
}

TEST_CASE("with any positions, keys that a mask hides may hold NaN") {
  const DefaultDType f64(DType::f64);
  for (const std::string& name : positional_encoding_names()) {
    seed(6);
    const auto encoding = make_encoding(name);
    const MultiHeadAttention attention = attention_with(encoding);
    const Tensor x = random({7, 2, kFeatures});
    Array allowed = Array::full({7}, 1);
    allowed.set(3, 0);
    const auto numbers = [&](double garbage) {
      Array keys = x.value().clone();
      for (std::int64_t i = 0; i < 2 * kFeatures; ++i) keys.set(3 * 2 * kFeatures + i, garbage);
      Memory memory = attention.memorize(x);
      const Tensor leaf = Tensor::parameter(attention.memorize(Tensor(keys)).keys.value());
      memory.keys = leaf;
      Layer(attention).zero_grad();
      sum(square(attention.attend(x, memory, {.mask = Mask::of(allowed)}).context)).backward();
      std::vector<double> all = leaf.grad().to_vector<double>();
      for (const Param& param : attention.parameters())
        if (param.value.grad().defined())
          for (std::int64_t i = 0; i < param.value.grad().elements(); ++i)
            all.push_back(param.value.grad().at(i));
      return all;
    };
    INFO(name);
    CHECK(numbers(std::nan("")) == numbers(0));
  }
}

TEST_CASE("wrong options of positional encodings are explained") {
  CHECK_THROWS_WITH(make_encoding("rotation"),
                    "positional encoding: 'rotation' is unknown; known are sinusoidal, learned, "
                    "none, rotary, alibi, relative, t5");
  CHECK_THROWS_WITH(make_encoding("rotary:base=0"), contains("expected a number above 0"));
  CHECK_THROWS_WITH(make_encoding("relative:clip=0"), contains("expected a whole number from 1"));
  CHECK_THROWS_WITH(make_encoding("t5:buckets=3"), contains("expected at least 4 buckets"));
  CHECK_THROWS_WITH(make_encoding("t5:furthest=8"), contains("a furthest distance above 8"));
  CHECK_THROWS_WITH(make_encoding("alibi:slope=2"), contains("it has no options"));
  const auto alibi = std::make_shared<AlibiPositionalEncoding>(3);
  const MultiHeadAttention attention(4, 2, {.positions = alibi});
  CHECK_THROWS_WITH(attention(Array::zeros({2, 1, 4})),
                    contains("made for 3 heads but used with 2"));
  CHECK_THROWS_WITH(
      attention.attend(Array::zeros({3, 1, 4}), attention.memorize(Array::zeros({2, 1, 4}))),
      contains("3 queries and only 2 keys"));
}
