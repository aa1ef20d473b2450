#include <cmath>
#include <limits>

#include "attune/autograd/all.h"
#include "attune/layers/all.h"
#include "catch.h"

using namespace attune;

namespace {

Tensor input(const Shape& shape) {
  Array array(shape, DType::f64);
  generator().normal(array, 0, 1);
  return Tensor::parameter(array);
}

// The largest difference of two arrays of one shape; infinity where one is NaN.
double distance(const Array& a, const Array& b) {
  REQUIRE(a.shape() == b.shape());
  double largest = 0;
  for (std::int64_t i = 0; i < a.elements(); ++i) {
    const double difference = std::fabs(a.at(i) - b.at(i));
    largest = difference <= largest ? largest : difference;
    if (std::isnan(difference)) return std::numeric_limits<double>::infinity();
  }
  return largest;
}

// A mask, and the same as an array [B, 1, T, S] computed for each pair.
struct MaskCase {
  const char* name;
  Mask mask;
  std::function<bool(std::int64_t, std::int64_t, std::int64_t)> sees;  // (b, t, s)
};

std::vector<MaskCase> mask_cases(std::int64_t batch, std::int64_t queries, std::int64_t keys) {
  std::vector<std::int32_t> some;
  for (std::int64_t b = 0; b < batch; ++b)
    some.push_back(static_cast<std::int32_t>(b == 0 ? keys : keys / (b + 1)));
  const Indices lengths(some);
  const auto within = [=](auto b, auto, auto s) { return s < lengths.at(b); };
  const std::int64_t last = keys - queries;  // the last query is at the last key
  const auto causal = [=](auto, auto t, auto s) { return s <= t + last; };
  const auto local = [=](auto, auto t, auto s) { return s >= t + last - 5 && s <= t + last + 2; };
  const auto late = [](auto, auto t, auto s) { return s >= t + 60 - 3 && s <= t + 60; };
  const auto sparse = [](auto b, auto t, auto s) { return (t + 2 * s + b) % 5 == 0 && t % 7 != 3; };
  Array allowed = Array::zeros({batch, 1, queries, keys});
  for (std::int64_t i = 0; i < allowed.elements(); ++i)
    allowed.set(i, sparse(i / (keys * queries), i / keys % queries, i % keys));
  const Mask padded = Mask::lengths(lengths), ahead = Mask::causal(last),
             near = Mask::window(5, 2, last), array = Mask::of(allowed);
  return {
      {"none", Mask(), [](auto...) { return true; }},
      {"lengths", padded, within},
      {"causal", ahead, causal},
      {"window", near, local},
      {"a window beyond the last keys", Mask::window(3, 0, 60), late},
      {"array", array, sparse},
      {"lengths & window", padded & near,
       [=](auto... at) { return within(at...) && local(at...); }},
      {"causal & window", ahead & near, [=](auto... at) { return causal(at...) && local(at...); }},
      {"array & causal", array & ahead, [=](auto... at) { return sparse(at...) && causal(at...); }},
      {"lengths & window & array", padded & near & array,
       [=](auto... at) { return within(at...) && local(at...) && sparse(at...); }},
  };
}

// The same attention of one head in basic operations.
SequenceAttention in_basic_operations(const Tensor& query, const Tensor& key, const Tensor& value,
                                      const Array& allowed, const Tensor& bias) {
  const auto by_rows = [](const Tensor& x) { return permute(x, {1, 0, 2}); };
  const double scale = 1 / std::sqrt(static_cast<double>(query.size(-1)));
  Tensor scores = matmul(by_rows(query), by_rows(key), {.transpose_b = true}) * scale;
  if (bias.defined()) scores = scores + bias;
  const Tensor hidden(Array::full({}, -std::numeric_limits<double>::infinity(), DType::f64));
  const Tensor weights = softmax(where(allowed, scores, hidden));
  const Shape shape{query.size(1), 1, query.size(0), key.size(0)};
  return {by_rows(matmul(weights, by_rows(value))), reshape(weights, shape)};
}

}  // namespace

TEST_CASE("attention with each mask matches products and softmax at tile boundaries") {
  struct Sizes {
    std::int64_t queries, keys;
  };
  constexpr std::int64_t kBatch = 2;
  for (const Sizes& n : {Sizes{5, 7}, {63, 64}, {64, 65}, {65, 63}, {1, 129}, {129, 128}})
    for (const bool with_bias : {false, true})
      for (const MaskCase& now : mask_cases(kBatch, n.queries, n.keys)) {
        INFO(now.name << ", " << n.queries << " queries, " << n.keys << " keys, bias "
                      << with_bias);
        seed(5);
        const Tensor query = input({n.queries, kBatch, 3}), key = input({n.keys, kBatch, 3});
        const Tensor value = input({n.keys, kBatch, 2});
        const Tensor bias = with_bias ? input({n.queries, n.keys}) : Tensor();
        const Array dcontext = input({n.queries, kBatch, 2}).value();
        const Array dweights = input({kBatch, 1, n.queries, n.keys}).value();
        Array allowed = Array::zeros({kBatch, n.queries, n.keys}, DType::f64);
        for (std::int64_t i = 0; i < allowed.elements(); ++i) {
          const std::int64_t b = i / (n.keys * n.queries), t = i / n.keys % n.queries;
          allowed.set(i, now.sees(b, t, i % n.keys));
        }

        std::vector<Tensor> leaves = {query, key, value};
        if (with_bias) leaves.push_back(bias);
        const auto run = [&](const SequenceAttention& found) {
          std::vector<Array> results = {found.context.value(), found.weights.value()};
          for (const Tensor& leaf : leaves) Tensor(leaf).zero_grad();
          (sum(found.context * Tensor(dcontext)) + sum(found.weights * Tensor(dweights)))
              .backward();
          for (const Tensor& leaf : leaves) results.push_back(leaf.grad());
          return results;
        };
        const Mask mask = with_bias ? now.mask & Mask::bias(bias) : now.mask;
        const std::vector<Array> ours =
            run(scaled_dot_product_attention_with_weights(query, key, value, {.mask = mask}));
        const std::vector<Array> plain = run(in_basic_operations(query, key, value, allowed, bias));
        for (std::size_t i = 0; i < ours.size(); ++i) {
          INFO("result " << i);
          CHECK(distance(ours[i], plain[i]) < 1e-11);
        }
      }
}

TEST_CASE("a mask gives the range of keys that lengths and windows allow for a query") {
  using Range = std::pair<std::int64_t, std::int64_t>;
  const Shape itself{2, 1, 10, 10};
  CHECK(Mask().range(0, 3, itself) == Range{0, 10});
  CHECK(Mask::lengths({4, 0}).range(0, 3, itself) == Range{0, 4});
  CHECK(Mask::lengths({4, 0}).range(1, 3, itself) == Range{0, 0});
  CHECK(Mask::causal().range(0, 3, itself) == Range{0, 4});
  CHECK(Mask::causal(-4).range(0, 3, itself) == Range{0, 0});
  CHECK(Mask::window(2, 1).range(0, 3, itself) == Range{1, 5});
  CHECK(Mask::window(2, 1, 5).range(0, 3, itself) == Range{6, 10});
  CHECK((Mask::window(2, 1) & Mask::causal()).range(0, 3, itself) == Range{1, 4});
  const Range behind = (Mask::window(2, 1) & Mask::lengths({1, 1})).range(0, 9, itself);
  CHECK(behind.first == behind.second);
}

TEST_CASE("without an offset the last query is aligned with the last key") {
  using Range = std::pair<std::int64_t, std::int64_t>;
  const Shape last_three{2, 1, 3, 10}, newest{2, 1, 1, 10}, more{2, 1, 10, 7};
  CHECK(Mask::causal().range(0, 0, last_three) == Range{0, 8});
  CHECK(Mask::causal().range(0, 2, last_three) == Range{0, 10});
  CHECK(Mask::causal().range(0, 0, newest) == Range{0, 10});
  CHECK(Mask::causal().range(0, 2, more) == Range{0, 0});
  CHECK(Mask::causal().range(0, 3, more) == Range{0, 1});
  CHECK(Mask::window(2, 1).range(0, 0, last_three) == Range{5, 9});
  CHECK(Mask::window(2, 1).range(0, 0, newest) == Range{7, 10});
  // Each of two masks keeps its own offset.
  CHECK((Mask::window(2, 1, 4) & Mask::causal()).range(0, 0, last_three) == Range{2, 6});
  CHECK((Mask::window(4, 0) & Mask::causal(5)).range(0, 0, last_three) == Range{3, 6});
}

TEST_CASE("a bias of -infinity hides a key like a boolean mask, even if its value is NaN") {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  seed(6);
  const Tensor query = input({5, 1, 2}), key = input({7, 1, 2}), value = input({7, 1, 2});
  Array allowed = Array::full({7}, 1), bias = Array::zeros({7}, DType::f64);
  allowed.set(4, 0);
  bias.set(4, -kInf);
  const Array expected =
      scaled_dot_product_attention(query, key, value, {.mask = Mask::of(allowed)}).value();
  for (const double garbage : {std::nan(""), kInf}) {
    Array spoilt = value.value().clone();
    spoilt.set(8, garbage);
    Tensor values = Tensor::parameter(spoilt);
    const Tensor context =
        scaled_dot_product_attention(query, key, values, {.mask = Mask::bias(Tensor(bias))});
    CHECK(distance(context.value(), expected) == 0);
    sum(context).backward();
    CHECK(query.grad().all_finite());
    CHECK(values.grad().at(8) == 0);
    Tensor(query).zero_grad();
  }
}

TEST_CASE("a mask copies its array and detects in-place changes of its bias") {
  seed(7);
  const Tensor x = input({4, 1, 2});
  Array allowed = Array::full({4}, 1);
  const Mask mask = Mask::of(allowed);
  allowed.fill(0);
  CHECK(scaled_dot_product_attention(x, x, x, {.mask = mask}).value().to_vector() ==
        scaled_dot_product_attention(x, x, x).value().to_vector());

  Tensor bias = input({4, 4});
  const Tensor y = scaled_dot_product_attention(x, x, x, {.mask = Mask::bias(bias)});
  bias.value().fill(2);
  CHECK_THROWS_AS(sum(y).backward(), Error);
}

TEST_CASE("Transformers and their attention layers accept masks") {
  const DefaultDType f64(DType::f64);
  seed(8);
  const MultiHeadAttention attention(6, 2);
  const Tensor x = input({9, 2, 6});
  // Two layers with a window of one position back: outputs depend on up to two positions back.
  const TransformerEncoder encoder({.features = 6, .heads = 2, .feed_forward = 7, .dropout = 0}, 2);
  const Mask window = Mask::window(1, 0);
  const Array before = encoder(x, {}, window).value();
  Tensor other(x.value().clone());
  for (std::int64_t i = 0; i < 12; ++i) other.value().set(3 * 12 + i, 0.5);
  const Array after = encoder(other, {}, window).value();
  for (std::int64_t t = 0; t < 9; ++t) {
    INFO("position " << t);
    CHECK((distance(before[t], after[t]) == 0) == (t < 3 || t > 5));
  }

  const Tensor bias = input({2, 9, 9});
  std::vector<std::pair<std::string, Tensor>> leaves = {{"x", x}, {"bias", bias}};
  for (const Param& param : encoder.parameters()) leaves.emplace_back(param.name, param.value);
  CHECK(gradcheck(
            [&] {
              return std::vector<Tensor>{encoder(x, {9, 4}, Mask::bias(bias) & Mask::window(2, 1))};
            },
            leaves)
            .message == "");
}
