// Heads of attention that share keys, affect each other or are gated, and dropout of weights.
#include <cmath>
#include <functional>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"
#include "compare.h"

using namespace attune;

namespace {

constexpr std::int64_t kFeatures = 12, kHeads = 2, kSize = 6;

Tensor random(const Shape& shape) { return random_normal(shape, DType::f64); }

Tensor parameter(const Layer& layer, const std::string& name) {
  for (const Param& param : layer.parameters())
    if (param.name == name) return param.value;
  FAIL("no parameter " << name);
  return {};
}

Tensor projected(const Layer& attention, const std::string& name, const Tensor& x) {
  return linear(x, parameter(attention, name + ".weight"), parameter(attention, name + ".bias"));
}

// Random values, so that no parameter has one such as 0 or the identity that hides a fault.
void randomize(const Layer& layer) {
  for (Param& param : layer.parameters()) {
    Array value = param.value.value();
    generator().normal(value, 0, 0.5);
  }
}

// Element i of head h of x [positions, B, H d].
double at(const Tensor& x, std::int64_t position, std::int64_t b, std::int64_t h, std::int64_t i,
          std::int64_t size) {
  return x.value().at((position * x.size(1) + b) * x.size(2) + h * size + i);
}

// The softmax over the keys that are visible to query t, of a score.
std::vector<double> softmax_of(std::int64_t keys,
                               const std::function<double(std::int64_t)>& score) {
  std::vector<double> weights;
  double total = 0;
  for (std::int64_t s = 0; s < keys; ++s) total += weights.emplace_back(std::exp(score(s)));
  for (double& weight : weights) weight /= total;
  return weights;
}

// q_h . k_h / sqrt(size), causal: 0 for later keys is never read.
double score_of(const Tensor& q, const Tensor& k, std::int64_t t, std::int64_t s, std::int64_t b,
                std::int64_t h, std::int64_t size) {
  double sum = 0;
  for (std::int64_t i = 0; i < size; ++i) sum += at(q, t, b, h, i, size) * at(k, s, b, h, i, size);
  return sum / std::sqrt(static_cast<double>(size));
}

// All kinds of heads, with names for messages.
std::vector<std::pair<std::string, MultiHeadAttentionOptions>> all_kinds() {
  std::vector<std::pair<std::string, MultiHeadAttentionOptions>> kinds;
  for (const std::string& mixer : head_mixer_names())
    for (const std::int64_t shared : {0, 1}) {
      MultiHeadAttentionOptions options{.key_value_heads = shared, .mixer = mixer};
      options.gated = shared == 1;
      kinds.emplace_back(mixer + (shared ? ", shared keys, gated" : ""), options);
      for (const std::string positions : {"rotary", "t5", "relative:clip=3"}) {
        if (mixer == "differential" && positions != "rotary" && positions != "t5") continue;
        options.positions = make_positional_encoding(
            positions,
            {.features = kFeatures, .heads = score_heads(mixer, kHeads), .bidirectional = false});
        kinds.emplace_back(kinds.back().first + ", " + positions, options);
      }
    }
  return kinds;
}

}  // namespace

TEST_CASE("heads that share keys and values equal heads with equal keys and values") {
  const DefaultDType f64(DType::f64);
  seed(1);
  const MultiHeadAttention shared(kFeatures, 4, {.key_value_heads = 2}), full(kFeatures, 4);
  CHECK(parameter(shared, "key.weight").shape() == Shape({6, kFeatures}));
  NamedArrays values;
  for (const Param& param : shared.parameters()) {
    Array value = param.value.value();
    if (param.name.starts_with("key") || param.name.starts_with("value")) {
      std::vector<std::int32_t> rows;  // of heads 0, 0, 1, 1, with 3 features each
      for (const int row : {0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5}) rows.push_back(row);
      value = index_select(Tensor(value), 0, Indices(rows)).value();
    }
    values.emplace_back(param.name, value);
  }
  Layer(full).load(values);
  const Tensor x = random({70, 3, kFeatures});
  const Indices lengths = {70, 1, 40};
  const Mask mask = Mask::window(30, 2);
  CHECK(distance(shared(x, lengths, mask).value(), full(x, lengths, mask).value()) < 1e-12);
}

TEST_CASE("queries that share rows of keys and values have the results of copies") {
  const Indices shared_rows({2, 0, 0, 2, 2}), lengths({4, 1, 3});
  const Indices of_positions(std::vector<std::int32_t>{0, 1, 1, 2, 2, 2, 0, 0, 1, 1,  //
                                                       2, 2, 1, 0, 1, 0, 2, 2, 1, 0},
                             Shape{4, 5});
  for (const Indices& rows : {shared_rows, of_positions})
    for (const DType dtype : {DType::f32, DType::f64})
      for (const std::int64_t queries : {1, 3}) {
        INFO(queries << " queries, " << name_of(dtype) << ", rows " << rows.shape().rank());
        Tensor query = Tensor::parameter(random_normal({queries, 5, kFeatures}, dtype).value());
        Tensor key = Tensor::parameter(random_normal({4, 3, kFeatures}, dtype).value());
        Tensor value = Tensor::parameter(random_normal({4, 3, kFeatures}, dtype).value());
        const Mask mask = Mask::lengths(select_lengths(lengths, shared_rows));
        const DotProductOptions copies{.heads = kHeads, .mask = mask};
        const DotProductOptions shared{.heads = kHeads, .mask = mask, .key_rows = rows};
        const auto attend = [&](const DotProductOptions& options, bool copy) {
          return scaled_dot_product_attention_with_weights(
              query, copy ? index_select(key, 1, rows) : key,
              copy ? index_select(value, 1, rows) : value, options);
        };
        {
          const NoGrad no_grad;
          const SequenceAttention expected = attend(copies, true), found = attend(shared, false);
          CHECK(found.context.value().to_vector<double>() ==
                expected.context.value().to_vector<double>());
          CHECK(
              scaled_dot_product_attention(query, key, value, shared).value().to_vector<double>() ==
              expected.context.value().to_vector<double>());
          CHECK(found.weights.value().to_vector<double>() ==
                expected.weights.value().to_vector<double>());
        }
        const Tensor factor = random_normal({queries, 5, kFeatures}, dtype);
        const auto gradients = [&](const DotProductOptions& options, bool copy) {
          return grad({sum(attend(options, copy).context * factor)}, {query, key, value});
        };
        const Gradients expected = gradients(copies, true), found = gradients(shared, false);
        for (const Tensor& input : {query, key, value})
          CHECK(found.at(input).to_vector<double>() == expected.at(input).to_vector<double>());
        CHECK_THROWS_WITH(
            attend({.heads = kHeads, .key_rows = Indices({0, 1, 2, 3, 0})}, false),
            contains("row 3 of key [4, 3, 12], which query row 3 attends to, does not exist"));
        CHECK_THROWS_WITH(attend({.heads = kHeads, .key_rows = Indices({0, 1})}, false),
                          contains("rows of the key of shape [2] for query"));
        CHECK_THROWS_WITH(attend({.heads = kHeads, .key_rows = of_positions.block(0, 3)}, false),
                          contains("rows of the key of shape [3, 5] for query"));
      }
}

TEST_CASE("talking heads mix scores before the softmax, and weights after it") {
  const DefaultDType f64(DType::f64);
  seed(2);
  const MultiHeadAttention attention(kFeatures, kHeads, {.mixer = "talking"});
  const MultiHeadAttention plain(kFeatures, kHeads);
  const Tensor x = random({5, 2, kFeatures});
  NamedArrays same;
  for (const Param& param : attention.parameters())
    if (!param.name.starts_with("mixer")) same.emplace_back(param.name, param.value.value());
  Layer(plain).load(same);
  const Array identity = attention(x, {}, Mask::causal()).value();
  CHECK(distance(identity, plain(x, {}, Mask::causal()).value()) < 1e-12);

  randomize(attention);
  const Tensor q = projected(attention, "query", x), k = projected(attention, "key", x),
               v = projected(attention, "value", x), p = parameter(attention, "mixer.scores"),
               r = parameter(attention, "mixer.weights");
  Array contexts = Array::zeros(x.shape(), DType::f64);
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t t = 0; t < 5; ++t) {
      std::vector<std::vector<double>> weights;
      for (std::int64_t h = 0; h < kHeads; ++h)
        weights.push_back(softmax_of(t + 1, [&](std::int64_t s) {
          double mixed = 0;
          for (std::int64_t g = 0; g < kHeads; ++g)
            mixed += p.value().at(h * kHeads + g) * score_of(q, k, t, s, b, g, kSize);
          return mixed;
        }));
      for (std::int64_t h = 0; h < kHeads; ++h)
        for (std::int64_t i = 0; i < kSize; ++i) {
          double context = 0;
          for (std::int64_t s = 0; s <= t; ++s)
            for (std::int64_t g = 0; g < kHeads; ++g)
              context += r.value().at(h * kHeads + g) *
                         weights[static_cast<std::size_t>(g)][static_cast<std::size_t>(s)] *
                         at(v, s, b, h, i, kSize);
          contexts.set((t * 2 + b) * kFeatures + h * kSize + i, context);
        }
    }
  const Array expected = projected(attention, "out", Tensor(contexts)).value();
  CHECK(distance(attention(x, {}, Mask::causal()).value(), expected) < 1e-12);
}

TEST_CASE("differential attention is the paper's difference of two softmaxes") {
  const DefaultDType f64(DType::f64);
  seed(3);
  const MultiHeadAttention attention(kFeatures, kHeads, {.layer = 2, .mixer = "differential"});
  randomize(attention);
  const Tensor x = random({5, 2, kFeatures});
  const Tensor q = projected(attention, "query", x), k = projected(attention, "key", x),
               v = projected(attention, "value", x), gain = parameter(attention, "mixer.norm");
  const double first = 0.8 - 0.6 * std::exp(-0.3 * 2);  // layer 3 in the paper, which counts from 1
  const auto product = [&](const std::string& i) {
    return sum(parameter(attention, "mixer.lambda_q" + i) *
               parameter(attention, "mixer.lambda_k" + i))
        .item();
  };
  const double lambda = std::exp(product("1")) - std::exp(product("2")) + first;
  Array contexts = Array::zeros(x.shape(), DType::f64);
  Array weights = Array::zeros({2, kHeads, 5, 5}, DType::f64);
  for (std::int64_t b = 0; b < 2; ++b)
    for (std::int64_t h = 0; h < kHeads; ++h)
      for (std::int64_t t = 0; t < 5; ++t) {
        const auto half = [&](std::int64_t which) {
          return softmax_of(t + 1, [&](std::int64_t s) {
            return score_of(q, k, t, s, b, 2 * h + which, kSize / 2);
          });
        };
        const std::vector<double> one = half(0), two = half(1);
        std::vector<double> c(kSize);
        double squares = 0;
        for (std::int64_t s = 0; s <= t; ++s) {
          const double w =
              one[static_cast<std::size_t>(s)] - lambda * two[static_cast<std::size_t>(s)];
          weights.set(((b * kHeads + h) * 5 + t) * 5 + s, w);
          for (std::int64_t i = 0; i < kSize; ++i)
            c[static_cast<std::size_t>(i)] += w * at(v, s, b, h, i, kSize);
        }
        for (const double number : c) squares += number * number / kSize;
        for (std::int64_t i = 0; i < kSize; ++i)
          contexts.set((t * 2 + b) * kFeatures + h * kSize + i,
                       (1 - first) * c[static_cast<std::size_t>(i)] / std::sqrt(squares + 1e-5) *
                           gain.value().at(i));
      }
  const AttentionResult found =
      attention.attend(x, attention.memorize(x), {.mask = Mask::causal(), .weights = true});
  CHECK(distance(found.context.value(), projected(attention, "out", Tensor(contexts)).value()) <
        1e-12);
  CHECK(distance(found.weights.value(), weights) < 1e-12);
}

TEST_CASE("a gate multiplies contexts by a sigmoid of the query") {
  const DefaultDType f64(DType::f64);
  seed(4);
  const MultiHeadAttention attention(kFeatures, kHeads, {.gated = true});
  const MultiHeadAttention plain(kFeatures, kHeads);
  NamedArrays same;
  for (const Param& param : attention.parameters())
    if (param.name != "gate.weight") same.emplace_back(param.name, param.value.value().clone());
  Array identity = Array::zeros({kFeatures, kFeatures}, DType::f64);
  for (std::int64_t i = 0; i < kFeatures; ++i) identity.set(i * (kFeatures + 1), 1);
  for (auto& [name, value] : same) {
    if (name == "out.weight") value = identity;
    if (name == "out.bias") value = Array::zeros({kFeatures}, DType::f64);
  }
  Layer(plain).load(same);
  const Tensor x = random({5, 2, kFeatures});
  const Tensor gate = sigmoid(linear(x, parameter(attention, "gate.weight"), Tensor()));
  const Array expected = projected(attention, "out", plain(x) * gate).value();
  CHECK(distance(attention(x).value(), expected) < 1e-12);
}

TEST_CASE("with heads of any kind, attention step by step equals attention at once") {
  const DefaultDType f64(DType::f64);
  for (const auto& [name, options] : all_kinds()) {
    INFO(name);
    seed(5);
    const MultiHeadAttention attention(kFeatures, kHeads, options);
    randomize(attention);
    const Tensor x = random({9, 2, kFeatures});
    const Mask mask = Mask::causal() & Mask::window(6, 0);
    const Array whole = attention(x, {}, mask).value();
    Memory memory;
    for (std::int64_t t = 0; t < 9; ++t) {
      memory = attention.append(memory, slice(x, 0, t, t + 1));
      const AttentionResult step = attention.attend(x[t], memory, {.mask = mask, .weights = true});
      CHECK(distance(step.context.value(), whole[t]) < 1e-12);
      CHECK(step.weights.shape() == Shape({2, kHeads, t + 1}));
    }
  }
}

TEST_CASE("with heads of any kind, hidden keys may hold NaN") {
  const DefaultDType f64(DType::f64);
  for (const auto& [name, options] : all_kinds()) {
    INFO(name);
    seed(6);
    const MultiHeadAttention attention(kFeatures, kHeads, options);
    randomize(attention);
    Tensor query = Tensor::parameter(random({7, 2, kFeatures}).value());
    const Memory clean = attention.memorize(random({7, 2, kFeatures}));
    const auto with_nan = [](const Tensor& x) {  // in position 3
      Array copy = x.value().clone();
      const std::int64_t width = copy.elements() / 7;
      for (std::int64_t i = 3 * width; i < 4 * width; ++i) copy.set(i, std::nan(""));
      return Tensor::parameter(copy);
    };
    const Memory garbage{with_nan(clean.keys), with_nan(clean.values), {}};
    Array allowed = Array::full({7, 7}, 1, DType::f64);
    for (std::int64_t t = 0; t < 7; ++t) allowed.set(t * 7 + 3, 0);
    const auto gradients = [&](const Memory& memory) {
      const Memory leaves{
          Tensor::parameter(memory.keys.value()), Tensor::parameter(memory.values.value()), {}};
      query.zero_grad();
      Layer(attention).zero_grad();
      sum(square(attention.attend(query, leaves, {.mask = Mask::of(allowed)}).context)).backward();
      std::vector<double> all;
      const auto take = [&](const Tensor& leaf) {
        for (std::int64_t i = 0; leaf.grad().defined() && i < leaf.grad().elements(); ++i)
          all.push_back(leaf.grad().at(i));
      };
      for (const Tensor& leaf : {query, leaves.keys, leaves.values}) take(leaf);
      for (const Param& param : attention.parameters()) take(param.value);
      return all;
    };
    const std::vector<double> expected = gradients(clean), found = gradients(garbage);
    REQUIRE(found.size() == expected.size());
    for (std::size_t i = 0; i < found.size(); ++i)
      REQUIRE(found[i] == Approx(expected[i]).margin(1e-9));
    // If one query sees the key, the results of the others do not change.
    allowed.set(2 * 7 + 3, 1);
    const auto results = [&](const Memory& memory) {
      return attention.attend(query, memory, {.mask = Mask::of(allowed)}).context.value();
    };
    const Array a = results(clean), b = results(garbage);
    for (std::int64_t t = 0; t < 7; ++t)
      if (t != 2) CHECK(distance(a[t], b[t]) < 1e-12);
    CHECK(std::isnan(b[2].at(0)));
  }
}

// Dropout of weights

TEST_CASE("dropout of weights drops the given fraction, and no weights that are returned") {
  const DefaultDType f64(DType::f64);
  seed(7);
  constexpr std::int64_t kKeys = 150;
  Array identity = Array::zeros({kKeys, 1, 2 * kKeys}, DType::f64);  // of each of two heads
  for (std::int64_t s = 0; s < kKeys; ++s)
    for (std::int64_t h = 0; h < 2; ++h) identity.set((s * 2 + h) * kKeys + s, 1);
  const Tensor q = random({130, 1, 6}), k = random({kKeys, 1, 6});
  const DotProductOptions how{.heads = 2, .mask = Mask::causal(20), .dropout = 0.3};
  const SequenceAttention found =
      scaled_dot_product_attention_with_weights(q, k, Tensor(identity), how);
  std::int64_t kept = 0, all = 0;
  for (std::int64_t t = 0; t < 130; ++t)
    for (std::int64_t h = 0; h < 2; ++h)
      for (std::int64_t s = 0; s < kKeys; ++s) {
        const double weight = found.weights.value().at((h * 130 + t) * kKeys + s);
        const double used = found.context.value().at((t * 2 + h) * kKeys + s);
        if (weight == 0) {
          REQUIRE(used == 0);
          continue;
        }
        ++all;
        if (used == 0) continue;
        ++kept;
        REQUIRE(used == Approx(weight / 0.7).epsilon(1e-10));
      }
  CHECK(static_cast<double>(kept) / static_cast<double>(all) == Approx(0.7).margin(0.01));

  const Eval eval;
  const Array undropped = scaled_dot_product_attention(q, k, Tensor(identity), how).value();
  DotProductOptions without = how;
  without.dropout = 0;
  CHECK(distance(undropped,
                 scaled_dot_product_attention(q, k, Tensor(identity), without).value()) == 0);
}

TEST_CASE("dropout of weights is drawn anew for each call, from the seed") {
  const MultiHeadAttention attention(kFeatures, kHeads, {.dropout = 0.5});
  const Tensor x(random({5, 2, kFeatures}).value().to(DType::f32));
  const auto run = [&] { return attention(x).value(); };
  seed(8);
  const Array first = run(), second = run();
  seed(8);
  CHECK(distance(run(), first) == 0);
  CHECK(distance(second, first) > 0);
  const Eval eval;
  CHECK(distance(run(), run()) == 0);
}

TEST_CASE("heads that do not fit are explained") {
  const auto made = [](std::int64_t heads, const MultiHeadAttentionOptions& options) {
    return [=] { MultiHeadAttention(12, heads, options); };
  };
  CHECK_THROWS_WITH(made(4, {.key_value_heads = 3})(),
                    "attention: 4 heads cannot share 3 heads of keys and values; use a divisor");
  CHECK_THROWS_WITH(made(5, {})(), contains("12 features cannot be divided among 5 heads"));
  CHECK_THROWS_WITH(made(4, {.mixer = "differential"})(),
                    "differential attention: 12 features cannot be divided among 4 heads with two "
                    "halves each; use a multiple of 8");
  CHECK_THROWS_WITH(made(4, {.mixer = "silent"})(),
                    "head mixer: 'silent' is unknown; known are none, talking, differential");
  CHECK_THROWS_WITH(made(4, {.dropout = 1})(), "attention: dropout 1 is outside [0, 1)");
  CHECK_THROWS_WITH(
      made(2, {.positions = make_positional_encoding("relative", {.features = 12, .heads = 4}),
               .mixer = "differential"})(),
      contains("cannot be combined with heads of two softmaxes"));
}
