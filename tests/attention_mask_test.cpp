#include <cmath>
#include <limits>

#include "attention_members.h"
#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

// Masks in Attention: every kind of mask with every score, with heads and without, of one query and
// of several, by the fused kernel and without it.
namespace {

constexpr std::int64_t kBatch = 3, kQueries = 4, kKeys = 6, kSize = 4;

Tensor random(const Shape& shape) {
  Array array(shape, DefaultDType::current());
  generator().normal(array, 0, 1);
  return Tensor::parameter(array);
}

// The largest difference; infinity where one is NaN.
double distance(const Tensor& a, const Tensor& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const double difference = std::fabs(a.value().at(i) - b.value().at(i));
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
    largest = std::max(largest, difference);
  }
  return largest;
}

// A softmax that is not replaced by the fused kernel.
struct PlainSoftmax : SoftmaxNormalizer {
  bool is_softmax() const override { return false; }
};

// A mask, as a function because its biases change, and the same mask as plain arrays.
struct MaskCase {
  std::string name;
  std::function<Mask()> mask;
  Array allowed;               // [B, H, T, S]
  std::vector<Tensor> biases;  // broadcast to [B, H, T, S]

  Tensor bias(const Shape& scores) const {
    Tensor total = Array::zeros(scores, DefaultDType::current());
    for (const Tensor& one : biases) total = total + one;
    return total;
  }
};

using Sees = std::function<bool(std::int64_t b, std::int64_t h, std::int64_t t, std::int64_t s)>;

Array array_of(const Shape& shape, const Sees& sees) {
  Array array = Array::zeros(shape, DefaultDType::current());
  const std::int64_t heads = shape[1], queries = shape[2], keys = shape[3];
  for (std::int64_t i = 0; i < array.elements(); ++i)
    array.set(i, sees(i / (keys * queries * heads), i / (keys * queries) % heads,
                      i / keys % queries, i % keys));
  return array;
}

// Masks for scores of that shape. Some queries see no key under some of them.
std::vector<MaskCase> mask_cases(const Shape& scores) {
  const std::int64_t batch = scores[0], heads = scores[1], queries = scores[2], keys = scores[3];
  std::vector<std::int32_t> some;
  for (std::int64_t b = 0; b < batch; ++b)
    some.push_back(static_cast<std::int32_t>(b == 0 ? keys : b == 1 ? 0 : keys - b));
  const Indices lengths(some);
  const std::int64_t offset = keys - queries;
  const Sees all = [](auto...) { return true; };
  const Sees within = [=](auto b, auto, auto, auto s) { return s < lengths.at(b); };
  const Sees causal = [=](auto, auto, auto t, auto s) { return s <= t + offset; };
  const Sees local = [=](auto, auto, auto t, auto s) {
    return s >= t + offset - 1 && s <= t + offset + 1;
  };
  const Sees early = [](auto, auto, auto t, auto s) { return s >= t - 3 && s <= t - 1; };
  const Sees sparse = [](auto b, auto h, auto t, auto s) {
    return t != 1 && (b + 3 * h + t + 2 * s) % 5 < 3;
  };
  const Sees of_keys = [](auto b, auto, auto, auto s) { return (b + s) % 3 != 1; };
  const Sees of_queries = [](auto, auto, auto t, auto s) { return (t + s) % 2 == 0; };
  const Mask padded = Mask::lengths(lengths), window = Mask::window(1, 1);
  const Mask entries = Mask::of(array_of(scores, sparse));
  const Tensor bias = random(scores), of_heads = random({heads, 1, keys});
  Tensor hiding = random({queries, keys});
  for (std::int64_t i = 0; i < hiding.elements(); ++i)
    if (!of_queries(0, 0, i / keys, i % keys))
      hiding.value().set(i, -std::numeric_limits<double>::infinity());
  const auto both = [](const Sees& a, const Sees& b) -> Sees {
    return [=](auto... at) { return a(at...) && b(at...); };
  };
  std::vector<MaskCase> cases;
  const auto add = [&](const char* name, const Mask& mask, const Sees& sees,
                       const std::vector<Tensor>& biases = {}) {
    const auto make = [=] {
      Mask made = mask;
      for (const Tensor& one : biases) made = made & Mask::bias(one);
      return made;
    };
    cases.push_back({name, make, array_of(scores, sees), biases});
  };
  add("lengths", padded, within);
  add("causal", Mask::causal(), causal);
  add("window", window, local);
  add("a window with an offset", Mask::window(2, 0, -1), early);
  add("array", entries, sparse);
  add("an array of keys", Mask::of(array_of({batch, 1, 1, keys}, of_keys)), of_keys);
  add("bias", {}, all, {bias});
  add("a bias of heads", {}, all, {of_heads});
  add("a bias that hides", {}, of_queries, {hiding});
  add("lengths & causal", padded & Mask::causal(), both(within, causal));
  add("causal & array & bias", Mask::causal() & entries, both(causal, sparse), {bias});
  add("lengths & window & array & biases", padded & window & entries,
      both(both(within, local), sparse), {bias, of_heads});
  return cases;
}

// softmax(scores + bias) of one query and head a row, in basic operations.
Tensor reference(const Tensor& scores, const MaskCase& now) {
  const Tensor biased = scores + now.bias(scores.shape());
  return softmax(where(now.allowed, biased, -std::numeric_limits<double>::infinity()));
}

AttentionHeads heads_of(std::int64_t count) {
  const std::int64_t features = count * kSize;
  return {.count = count,
          .features = features,
          .query_size = features,
          .key_size = 3,
          .value_size = 2,
          .output_size = 5};
}

std::shared_ptr<AttentionScore> score_of(const std::string& name) {
  return make_score(name, {.query_size = kSize, .key_size = kSize, .hidden = 5});
}

// Without heads, or with as many; none of them fused.
Attention plain_attention(const std::string& score, std::int64_t heads) {
  const auto softmax = std::make_shared<PlainSoftmax>();
  return heads == 0 ? Attention(score_of(score), softmax)
                    : Attention(score_of(score), softmax, heads_of(heads));
}

struct Operands {
  Tensor query, keys, values;
};

Operands operands(std::int64_t heads, const Shape& scores) {
  const std::int64_t batch = scores[0], queries = scores[2], keys = scores[3];
  if (heads == 0)
    return {random({queries, batch, kSize}), random({keys, batch, kSize}),
            random({keys, batch, 2})};
  return {random({queries, batch, heads * kSize}), random({keys, batch, 3}),
          random({keys, batch, 2})};
}

Shape scores_of(std::int64_t heads, std::int64_t queries = kQueries) {
  return {kBatch, std::max<std::int64_t>(1, heads), queries, kKeys};
}

// These scores do not depend on the state.
AttentionResult ask(const Attention& attention, const Operands& x, const Mask& mask) {
  return attention.attend(x.query, attention.memorize(x.keys, x.values),
                          {.mask = mask, .weights = true});
}

// The bits of results and of all gradients, with the cotangents of a generator of their own.
std::vector<std::vector<double>> bits(const AttentionResult& found, std::vector<Tensor> leaves) {
  Generator cotangents(9);
  const auto weighed = [&](const Tensor& x) {
    Array r(x.shape(), x.dtype());
    cotangents.normal(r, 0, 1);
    return sum(x * Tensor(r));
  };
  std::vector<std::vector<double>> all;
  const auto take = [&](const Array& x) {
    all.emplace_back();
    for (std::int64_t i = 0; i < x.elements(); ++i) all.back().push_back(x.at(i));
  };
  take(found.context.value());
  take(found.weights.value());
  for (Tensor& leaf : leaves) leaf.zero_grad();
  (weighed(found.context) + weighed(found.weights)).backward();
  for (Tensor& leaf : leaves)
    if (leaf.grad().defined()) take(leaf.grad());
  return all;
}

}  // namespace

TEST_CASE("every score with every mask gives the softmax over visible keys") {
  const DefaultDType f64(DType::f64);
  for (const std::string& name : stateless_scores()) {
    seed(1);
    const auto score = score_of(name);
    const Attention plain(score, std::make_shared<PlainSoftmax>());
    for (const MaskCase& now : mask_cases(scores_of(0))) {
      INFO(name << ", " << now.name);
      const Operands x = operands(0, scores_of(0));
      const AttentionResult found = ask(plain, x, now.mask());
      AttentionState state;
      std::vector<Tensor> scores;
      for (std::int64_t t = 0; t < kQueries; ++t)
        scores.push_back((*score)(x.query[t], score->project_keys(x.keys), state));
      const Tensor weights = reference(reshape(stack(scores, 1), scores_of(0)), now);
      CHECK(distance(found.weights, weights) < 1e-12);
      for (std::int64_t t = 0; t < kQueries; ++t) {
        const Tensor of_query = reshape(slice(weights, 2, t, t + 1), {kBatch, kKeys});
        CHECK(distance(found.context[t], weighted_sum(of_query, x.values)) < 1e-12);
      }
    }
  }
}

TEST_CASE("the fused kernel with every mask matches step-by-step attention") {
  const DefaultDType f64(DType::f64);
  seed(2);
  for (const std::string& name : stateless_scores())
    for (const std::int64_t heads : {0, 1, 3}) {
      const Attention plain = plain_attention(name, heads);
      Attention fused =
          heads == 0
              ? Attention(score_of(name))
              : Attention(score_of(name), std::make_shared<SoftmaxNormalizer>(), heads_of(heads));
      fused.load(plain.values());
      for (const MaskCase& now : mask_cases(scores_of(heads))) {
        INFO(name << ", " << heads << " heads, " << now.name);
        const Operands x = operands(heads, scores_of(heads));
        std::vector<Tensor> leaves = {x.query, x.keys, x.values};
        leaves.insert(leaves.end(), now.biases.begin(), now.biases.end());
        const auto a = bits(ask(plain, x, now.mask()), leaves);
        const auto b = bits(ask(fused, x, now.mask()), leaves);
        REQUIRE(a.size() == b.size());
        for (std::size_t i = 0; i < a.size(); ++i)
          for (std::size_t j = 0; j < a[i].size(); ++j)
            CHECK(a[i][j] == Approx(b[i][j]).epsilon(1e-9).margin(1e-11));
      }
    }
}

TEST_CASE("one query with a mask gives the same result as among several") {
  const DefaultDType f64(DType::f64);
  seed(3);
  for (const std::string& name : stateless_scores())
    for (const std::int64_t heads : {0, 1, 2}) {
      const Attention attention = plain_attention(name, heads);
      const Shape scores = scores_of(heads);
      const Operands x = operands(heads, scores);
      const Memory memory = attention.memorize(x.keys, x.values);
      for (const MaskCase& now : mask_cases(scores)) {
        INFO(name << ", " << heads << " heads, " << now.name);
        const AttentionResult all =
            attention.attend(x.query, memory, {.mask = now.mask(), .weights = true});
        for (std::int64_t t = 0; t < kQueries; ++t) {
          Mask own = Mask::of(slice(Tensor(now.allowed), 2, t, t + 1).value());
          own = own & Mask::bias(slice(now.bias(scores), 2, t, t + 1));
          const AttentionResult one =
              attention.attend(x.query[t], memory, {.mask = own, .weights = true});
          CHECK(distance(one.context, all.context[t]) < 1e-12);
          const Tensor weights = slice(all.weights, 2, t, t + 1);
          CHECK(distance(reshape(one.weights, weights.shape()), weights) < 1e-12);
        }
      }
    }
}

TEST_CASE("gradients of attention are correct for every score and mask", "[gradient]") {
  const DefaultDType f64(DType::f64);
  for (const std::string& name : stateless_scores())
    for (const std::int64_t heads : {0, 1, 2})
      for (const std::int64_t queries : {std::int64_t{1}, kQueries}) {
        seed(4);
        const Attention attention = plain_attention(name, heads);
        const Shape scores = scores_of(heads, queries);
        const Operands x = operands(heads, scores);
        for (const MaskCase& now : mask_cases(scores)) {
          INFO(name << ", " << heads << " heads, " << queries << " queries, " << now.name);
          std::vector<std::pair<std::string, Tensor>> leaves = {
              {"query", x.query}, {"keys", x.keys}, {"values", x.values}};
          for (const Param& param : attention.parameters())
            leaves.emplace_back(param.name, param.value);
          for (const Tensor& bias : now.biases)
            if (bias.value().all_finite()) leaves.emplace_back("bias", bias);
          CHECK(gradcheck(
                    [&] {
                      const AttentionResult found =
                          queries == 1
                              ? attention.attend(x.query[0], attention.memorize(x.keys, x.values),
                                                 {.mask = now.mask(), .weights = true})
                              : ask(attention, x, now.mask());
                      return std::vector<Tensor>{found.context, found.weights};
                    },
                    leaves)
                    .message == "");
        }
      }
}

TEST_CASE("attention with masks is bitwise equal for 1, 2, 3 and 8 threads") {
  const int before = threads();
  for (const std::string& name : stateless_scores())
    for (const std::int64_t heads : {0, 3}) {
      seed(5);
      const Shape scores{67, std::max<std::int64_t>(1, heads), 3, 70};
      const Attention attention = plain_attention(name, heads);
      const Operands x = operands(heads, scores);
      for (const MaskCase& now : mask_cases(scores)) {
        INFO(name << ", " << heads << " heads, " << now.name);
        std::vector<Tensor> leaves = {x.query, x.keys, x.values};
        leaves.insert(leaves.end(), now.biases.begin(), now.biases.end());
        for (const Param& param : attention.parameters()) leaves.push_back(param.value);
        set_threads(1);
        const auto expected = bits(ask(attention, x, now.mask()), leaves);
        for (const int count : {2, 3, 8}) {
          set_threads(count);
          CHECK(bits(ask(attention, x, now.mask()), leaves) == expected);
        }
      }
    }
  set_threads(before);
}

TEST_CASE("masked scores are -infinity where a mask hides, and biased elsewhere") {
  const DefaultDType f64(DType::f64);
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const Tensor scores = Array::from(std::vector<double>{1, 2, std::nan(""), 4, 5, 6}, {2, 3});
  const Tensor bias = Array::from(std::vector<double>{10, -kInf, 0}, {3});
  const Mask mask = Mask::lengths({2, 3}) & Mask::bias(bias);
  CHECK(mask_scores(scores, mask).value().to_vector<double>() ==
        std::vector<double>{11, -kInf, -kInf, 14, -kInf, 6});
  const std::vector<double> weights = softmax(scores, mask).value().to_vector<double>();
  CHECK(weights[0] == 1);
  CHECK(weights[1] == 0);
  CHECK(weights[2] == 0);
  CHECK(weights[3] == Approx(1 / (1 + std::exp(-8.0))));
  CHECK(weights[4] == 0);
  // Of several queries and heads at once.
  const Tensor x = random({2, 3, 4, 5});
  CHECK(distance(softmax(x, Mask::causal()),
                 softmax(where(
                     array_of(x.shape(), [](auto, auto, auto t, auto s) { return s <= t + 1; }), x,
                     -kInf))) < 1e-15);
  CHECK_THROWS_WITH(mask_scores(random({2, 3, 4}), mask),
                    contains("mask_scores: scores [2, 3, 4]; expected [B, H, T, S], or [B, S]"));
  CHECK_THROWS_WITH(softmax(random({2, 4}), mask), contains("cannot be broadcast to the scores"));
}

TEST_CASE("a NaN score does not change the weights of hidden keys, which are 0") {
  const Tensor scores = Array::from(std::vector<float>{1, NAN, 3, 1, INFINITY, 3}, {2, 3});
  const Tensor weights = softmax(scores, Mask::of(Array::from(std::vector<float>{0, 1, 1}, {3})));
  for (const std::int64_t row : {0, 3}) {
    CHECK(weights.value().at(row) == 0);
    CHECK(std::isnan(weights.value().at(row + 1)));
    CHECK(std::isnan(weights.value().at(row + 2)));
  }
}

TEST_CASE("a mismatched mask is explained for every score") {
  for (const std::string& name : stateless_scores()) {
    const Attention attention(name, {.query_size = 3, .hidden = 5});
    const Memory memory = attention.memorize(Array::zeros({6, 2, 3}));
    const auto attend = [&](const Tensor& query, const Mask& mask) {
      attention.attend(query, memory, {.mask = mask});
    };
    const Tensor one(Array::zeros({2, 3})), three(Array::zeros({3, 2, 3}));
    CHECK_THROWS_WITH(attend(one, Mask::of(Array::zeros({2, 1, 3, 6}))),
                      contains("array of allowed keys [2, 1, 3, 6] cannot be broadcast to the "
                               "scores [B, H, T, S] = [2, 1, 1, 6]"));
    CHECK_THROWS_WITH(attend(three, Mask::bias(Tensor(Array::zeros({2, 6})))),
                      contains("bias [2, 6] cannot be broadcast to the scores [B, H, T, S] = "
                               "[2, 1, 3, 6]"));
    CHECK_THROWS_WITH(attend(three, Mask::lengths({1, 2, 3})),
                      contains("lengths must be [2], one for each sequence; got [3]"));
    CHECK_THROWS_WITH(attend(three, Mask::bias(Tensor(Array::zeros({6}, DType::f64)))),
                      contains("the mask's bias is f64, the query f32"));
  }
}
