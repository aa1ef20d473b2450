#include <cmath>
#include <optional>

#include "op_cases.h"

using namespace attune;

namespace {

struct Sizes {
  std::int64_t queries, keys, batch, heads, key_features, value_features;
  std::int64_t key_heads = heads, value_heads = heads;

  Shape query() const { return {queries, batch, heads * key_features}; }
  Shape key() const { return {keys, batch, key_heads * key_features}; }
  Shape value() const { return {keys, batch, value_heads * value_features}; }
};

// The flat index of an element of [positions, B, own * features], where the H heads share `own`.
std::size_t at(const Sizes& n, std::int64_t own, std::int64_t features, std::int64_t position,
               std::int64_t b, std::int64_t h, std::int64_t i) {
  const std::int64_t head = h / (n.heads / own);
  return static_cast<std::size_t>(((position * n.batch + b) * own + head) * features + i);
}

// What is true of key s for a query of a batch row and head: (b, h, t, s).
template <typename T>
using OfKey = std::function<T(std::int64_t, std::int64_t, std::int64_t, std::int64_t)>;

// Options of attention, and the keys that the mask leaves visible, as a plain function.
struct Asked {
  Mask mask = {};
  std::optional<double> scale = {};
  OfKey<bool> sees = [](auto...) { return true; };
};

// The weights of one query, one for each key.
Numbers weights_of(const Sizes& n, const Asked& asked, const OfKey<double>& bias,
                   const Numbers& query, const Numbers& key, std::int64_t b, std::int64_t h,
                   std::int64_t t) {
  const double scale = asked.scale.value_or(1 / std::sqrt(static_cast<double>(n.key_features)));
  Numbers weights;
  double total = 0;
  for (std::int64_t s = 0; s < n.keys; ++s) {
    double score = 0;
    for (std::int64_t i = 0; i < n.key_features; ++i)
      score += query[at(n, n.heads, n.key_features, t, b, h, i)] *
               key[at(n, n.key_heads, n.key_features, s, b, h, i)];
    weights.push_back(asked.sees(b, h, t, s) ? std::exp(scale * score + bias(b, h, t, s)) : 0);
    total += weights.back();
  }
  for (double& weight : weights) weight /= total > 0 ? total : 1;
  return weights;
}

// The context, followed by the weights if `with_weights`.
Numbers attend(const Sizes& n, const Asked& asked, const OfKey<double>& bias, bool with_weights,
               const Numbers& query, const Numbers& key, const Numbers& value) {
  Numbers context(static_cast<std::size_t>(n.queries * n.batch * n.heads * n.value_features));
  Numbers all;
  for (std::int64_t b = 0; b < n.batch; ++b)
    for (std::int64_t h = 0; h < n.heads; ++h)
      for (std::int64_t t = 0; t < n.queries; ++t) {
        const Numbers weights = weights_of(n, asked, bias, query, key, b, h, t);
        for (std::int64_t s = 0; s < n.keys; ++s)
          for (std::int64_t i = 0; i < n.value_features; ++i)
            context[at(n, n.heads, n.value_features, t, b, h, i)] +=
                weights[static_cast<std::size_t>(s)] *
                value[at(n, n.value_heads, n.value_features, s, b, h, i)];
        all.insert(all.end(), weights.begin(), weights.end());
      }
  if (with_weights) context.insert(context.end(), all.begin(), all.end());
  return context;
}

using Asking = std::function<Asked(const Sizes&)>;

// The entry of an array that is broadcast over [B, H, T, S].
double entry(const Shape& shape, const Numbers& x, std::initializer_list<std::int64_t> at) {
  std::int64_t flat = 0;
  int axis = 0;
  for (const std::int64_t i : at) {
    const int own = axis++ - (4 - shape.rank());
    if (own >= 0) flat = flat * shape[own] + (shape[own] == 1 ? 0 : i);
  }
  return x[static_cast<std::size_t>(flat)];
}

using BiasShape = std::function<Shape(const Sizes&)>;

// With a `bias` its values are the fourth operand.
OpCase attention_case(const std::string& what, const Sizes& small, const Sizes& large,
                      const Asking& asking, bool with_weights = false, const BiasShape& bias = {}) {
  OpCase row{"scaled_dot_product_attention" + what,
             {{small.query(), -2, 2}, {small.key(), -2, 2}, {small.value()}},
             {large.query(), large.key(), large.value()},
             {},
             {}};
  if (bias) {
    row.operands.push_back({bias(small), -2, 2});
    row.large.push_back(bias(large));
  }
  row.apply = [=](const Operands& x) -> Results {
    const Sizes& n = x[0].shape() == small.query() && x[1].shape() == small.key() ? small : large;
    const Asked asked = asking(n);
    DotProductOptions options{.heads = n.heads,
                              .mask = asked.mask,
                              .scale = asked.scale,
                              .key_heads = n.key_heads,
                              .value_heads = n.value_heads};
    if (bias) options.mask = options.mask & Mask::bias(x[3]);
    if (!with_weights) return scaled_dot_product_attention(x[0], x[1], x[2], options);
    const SequenceAttention found =
        scaled_dot_product_attention_with_weights(x[0], x[1], x[2], options);
    return {found.context, found.weights};
  };
  row.expected = [=](const std::vector<Numbers>& x) {
    const auto added = [&](auto b, auto h, auto t, auto s) {
      return bias ? entry(bias(small), x[3], {b, h, t, s}) : 0;
    };
    return attend(small, asking(small), added, with_weights, x[0], x[1], x[2]);
  };
  return row;
}

std::vector<BadCall> bad_calls() {
  const auto call = [](const Tensor& query, const Tensor& key, const Tensor& value,
                       const DotProductOptions& options = {.heads = 2}) {
    return [=] { scaled_dot_product_attention(query, key, value, options); };
  };
  const std::string name = "scaled_dot_product_attention: ";
  return {
      {name + "query must be [positions, B, features], time first; got [3, 4]",
       call(of({3, 4}), of({5, 2, 4}), of({5, 2, 4}))},
      {name + "0 heads; expected at least 1",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}), {.heads = 0})},
      {name + "the 5 features of value [5, 2, 5] cannot be divided among 2 heads; use a multiple",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 5}))},
      {name + "query [3, 2, 4] does not fit key [5, 2, 6]; batch and features must be equal",
       call(of({3, 2, 4}), of({5, 2, 6}), of({5, 2, 4}))},
      {name + "value [6, 2, 4] does not fit key [5, 2, 4]; positions and batch must be equal",
       call(of({3, 2, 4}), of({5, 2, 4}), of({6, 2, 4}))},
      {name + "4 heads cannot share 3 heads of keys and 3 of values; expected divisors",
       call(of({3, 2, 8}), of({5, 2, 6}), of({5, 2, 6}), {.heads = 4, .key_heads = 3})},
      {name + "query [3, 2, 8] does not fit key [5, 2, 6]; batch and features of a head must be "
              "equal",
       call(of({3, 2, 8}), of({5, 2, 6}), of({5, 2, 4}), {.heads = 4, .key_heads = 2})},
      {name + "dropout 1 is outside [0, 1)",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}), {.heads = 2, .dropout = 1})},
      {name + "query is f32, key f64, value f32; convert them",
       call(of({3, 2, 4}), of({5, 2, 4}, DType::f64), of({5, 2, 4}))},
      {name + "lengths must be [2], one for each sequence; got [3]",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}),
            {.heads = 2, .mask = Mask::lengths({1, 2, 3})})},
      {name + "length 6 of sequence 1 is outside [0, 5], the number of keys",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}),
            {.heads = 2, .mask = Mask::lengths({1, 6})})},
      {name +
           "the mask's bias [2, 3, 4] cannot be broadcast to the scores [B, H, T, S] = [2, 2, 3, "
           "5]; each size must be 1 or the scores'",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}),
            {.heads = 2, .mask = Mask::bias(of({2, 3, 4}))})},
      {name + "the mask's array of allowed keys [1, 1, 1, 3, 5] cannot be broadcast to the scores "
              "[B, H, T, S] = [2, 2, 3, 5]",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}),
            {.heads = 2, .mask = Mask::of(Array::zeros({1, 1, 1, 3, 5}))})},
      {name + "the mask's bias is f64, the query f32; convert one",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}),
            {.heads = 2, .mask = Mask::bias(of({3, 5}, DType::f64))})},
      {"mask: a window of -1 keys to the left and 2 to the right; neither may be negative",
       [] { Mask::window(-1, 2); }},
      {"mask: lengths [2] & lengths [3] do not match",
       [] {
         Mask::lengths({1, 2}) & Mask::lengths({1, 2, 3});
       }},
      {"mask: the bias is not defined", [] { Mask::bias(Tensor()); }},
      {"mask: the array of allowed keys is not defined", [] { Mask::of(Array()); }}};
}

}  // namespace

std::vector<OpCase> sequence_attention_cases() {
  const Sizes odd{3, 5, 4, 2, 3, 2}, square{5, 5, 3, 2, 3, 2}, two_tiles{67, 131, 1, 2, 1, 1};
  const Sizes large{70, 131, 5, 3, 17, 9}, large_square{131, 131, 5, 3, 17, 9};
  const auto plain = [](const Sizes&) { return Asked{}; };
  const auto with_lengths = [](const Sizes& n) {
    const Indices lengths = some_lengths(n.batch, n.keys);
    return Asked{.mask = Mask::lengths(lengths),
                 .sees = [=](auto b, auto, auto, auto s) { return s < lengths.at(b); }};
  };
  const auto causal = [](const Sizes& n) {
    const std::int64_t offset = n.keys - n.queries;
    return Asked{.mask = Mask::causal(),
                 .sees = [=](auto, auto, auto t, auto s) { return s <= t + offset; }};
  };
  const auto continued = [](const Sizes& n) {
    const Indices lengths = some_lengths(n.batch, n.keys);
    const std::int64_t offset = n.keys - n.queries;
    return Asked{
        .mask = Mask::lengths(lengths) & Mask::causal(offset),
        .sees = [=](auto b, auto, auto t, auto s) { return s < lengths.at(b) && s <= t + offset; }};
  };
  // The first query sees nothing.
  const auto early = [](const Sizes&) {
    return Asked{.mask = Mask::causal(-1),
                 .sees = [](auto, auto, auto t, auto s) { return s <= t - 1; }};
  };
  const auto local = [](const Sizes&) {
    return Asked{.mask = Mask::window(1, 1, 0),
                 .sees = [](auto, auto, auto t, auto s) { return s >= t - 1 && s <= t + 1; }};
  };
  // At the end of a longer sequence, and beyond the end of shorter ones.
  const auto local_continued = [](const Sizes& n) {
    const Indices lengths = some_lengths(n.batch, n.keys);
    const std::int64_t offset = n.keys - n.queries;
    return Asked{.mask = Mask::lengths(lengths) & Mask::window(40, 3) & Mask::causal(offset),
                 .sees = [=](auto b, auto, auto t, auto s) {
                   return s < lengths.at(b) && s >= t + offset - 40 && s <= t + offset;
                 }};
  };
  // One pattern for each head; some queries see nothing.
  const auto allowed = [](const Sizes& n) {
    const auto sees = [](auto, auto h, auto t, auto s) {
      return t % 4 != 2 && (3 * t + 5 * s + h) % 7 < 3;
    };
    Array seen = Array::zeros({1, n.heads, n.queries, n.keys});
    for (std::int64_t i = 0; i < seen.elements(); ++i)
      seen.set(i, sees(0, i / (n.keys * n.queries), i / n.keys % n.queries, i % n.keys));
    return Asked{.mask = Mask::of(seen), .sees = sees};
  };
  const auto allowed_and_local = [=](const Sizes& n) {
    const Asked a = allowed(n), b = local_continued(n);
    return Asked{.mask = a.mask & b.mask,
                 .sees = [=](auto... at) { return a.sees(at...) && b.sees(at...); }};
  };
  // Two arrays, over keys and over queries.
  const auto both_sides = [](const Sizes& n) {
    Array keys = Array::zeros({n.keys}), queries = Array::zeros({n.queries, 1});
    for (std::int64_t s = 0; s < n.keys; ++s) keys.set(s, s % 3 != 1);
    for (std::int64_t t = 0; t < n.queries; ++t) queries.set(t, t % 3 != 0);
    return Asked{.mask = Mask::of(keys) & Mask::of(queries),
                 .sees = [](auto, auto, auto t, auto s) { return s % 3 != 1 && t % 3 != 0; }};
  };
  const auto whole = [](const Sizes& n) { return Shape{n.batch, n.heads, n.queries, n.keys}; };
  const auto of_heads = [](const Sizes& n) { return Shape{n.heads, n.queries, n.keys}; };
  const auto of_keys = [](const Sizes& n) { return Shape{n.batch, 1, 1, n.keys}; };
  const auto of_queries = [](const Sizes& n) { return Shape{n.queries, 1}; };
  const auto of_all = [](const Sizes&) { return Shape{}; };
  std::vector<OpCase> cases = {
      attention_case("", odd, large, plain),
      attention_case(" with lengths", odd, large, with_lengths),
      attention_case(" that is causal", square, large_square, causal),
      attention_case(" that is causal, from a later position, with lengths", odd, large, continued),
      attention_case(" that is causal, with a query that sees nothing", odd, large, early),
      attention_case(" with a scale of its own", odd, large,
                     [](const Sizes&) { return Asked{.scale = 0.3}; }),
      attention_case(" over several tiles", two_tiles, large, plain),
      attention_case(" over several tiles that is causal", two_tiles, large_square, continued),
      attention_case(" with weights", odd, large, with_lengths, true),
      attention_case(" with weights over several tiles", two_tiles, large, early, true),
      attention_case(" in a window", square, large_square, local),
      attention_case(" in a window over several tiles", two_tiles, large_square, local_continued),
      attention_case(" in a window with weights", two_tiles, large, local_continued, true),
      attention_case(" of allowed keys", odd, large, allowed),
      attention_case(" of allowed keys in a window with weights", two_tiles, large,
                     allowed_and_local, true),
      attention_case(" of two arrays of allowed keys", square, large, both_sides, true),
      attention_case(" with a bias", odd, large, plain, false, whole),
      attention_case(" with a bias of each head with weights", odd, large, with_lengths, true,
                     of_heads),
      attention_case(" with a bias of keys", odd, large, causal, false, of_keys),
      attention_case(" with a bias of queries", odd, large, allowed, true, of_queries),
      attention_case(" with one number for a bias", odd, large, plain, false, of_all),
      attention_case(" with a bias in a window over several tiles", two_tiles, large_square,
                     allowed_and_local, true, of_keys)};
  cases.front().bad_calls = bad_calls();

  // Heads that share keys and values: 4 heads with 2 of both, with 1, and with 4 and 2.
  const Sizes grouped{3, 5, 3, 4, 3, 2, 2, 2}, single{5, 5, 3, 4, 2, 3, 1, 1},
      halves{3, 5, 2, 4, 3, 2, 4, 2}, two_tiles_grouped{67, 131, 1, 2, 1, 1, 1, 1},
      large_grouped{70, 131, 5, 4, 9, 5, 2, 2}, large_halves{70, 131, 5, 4, 9, 5, 4, 2};
  cases.push_back(attention_case(" of heads that share keys", grouped, large_grouped, plain));
  cases.push_back(attention_case(" of heads that share keys with lengths and weights", grouped,
                                 large_grouped, with_lengths, true, of_heads));
  cases.push_back(
      attention_case(" of heads that share one of keys", single, large_grouped, causal));
  cases.push_back(attention_case(" of heads that share keys over several tiles", two_tiles_grouped,
                                 large_grouped, local_continued));
  cases.push_back(
      attention_case(" of heads that share values", halves, large_halves, allowed, true));
  cases.push_back({"scaled_dot_product_attention with dropout",
                   {{{3, 2, 8}, -2, 2}, {{70, 2, 4}, -2, 2}, {{70, 2, 6}}},
                   {{70, 5, 36}, {131, 5, 18}, {131, 5, 34}},
                   [](const Operands& x) -> Results {
                     seed(5);
                     const SequenceAttention found = scaled_dot_product_attention_with_weights(
                         x[0], x[1], x[2],
                         {.heads = 4,
                          .mask = Mask::lengths(some_lengths(x[0].size(1), x[1].size(0))),
                          .key_heads = 2,
                          .dropout = 0.3});
                     return {found.context, found.weights};
                   },
                   {}});  // its values are in heads_test.cpp

  // One tensor as query, key and value: its gradient is the sum of those of all three.
  cases.push_back({"scaled_dot_product_attention of a tensor with itself",
                   {{{4, 3, 6}}},
                   {{70, 5, 51}},
                   [](const Operands& x) {
                     return scaled_dot_product_attention(x[0], x[0], x[0],
                                                         {.heads = 3, .mask = Mask::causal()});
                   },
                   [=](const std::vector<Numbers>& x) {
                     const Sizes n{4, 4, 3, 3, 2, 2};
                     return attend(
                         n, causal(n), [](auto...) { return 0; }, false, x[0], x[0], x[0]);
                   }});
  return cases;
}
