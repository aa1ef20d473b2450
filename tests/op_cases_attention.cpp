#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

struct Sizes {
  std::int64_t queries, keys, batch, heads, key_features, value_features;

  Shape query() const { return {queries, batch, heads * key_features}; }
  Shape key() const { return {keys, batch, heads * key_features}; }
  Shape value() const { return {keys, batch, heads * value_features}; }
};

// Where an element of [positions, B, H * features] lies.
std::size_t at(const Sizes& n, std::int64_t features, std::int64_t position, std::int64_t b,
               std::int64_t h, std::int64_t i) {
  return static_cast<std::size_t>(((position * n.batch + b) * n.heads + h) * features + i);
}

// The weights of one query, one for each key.
Numbers weights_of(const Sizes& n, const DotProductOptions& options, const Numbers& query,
                   const Numbers& key, std::int64_t b, std::int64_t h, std::int64_t t) {
  const double scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(n.key_features)));
  Numbers weights;
  double total = 0;
  for (std::int64_t s = 0; s < n.keys; ++s) {
    const bool seen = (!options.lengths.defined() || s < options.lengths.at(b)) &&
                      (!options.causal || s <= t + options.offset);
    double score = 0;
    for (std::int64_t i = 0; i < n.key_features; ++i)
      score += query[at(n, n.key_features, t, b, h, i)] * key[at(n, n.key_features, s, b, h, i)];
    weights.push_back(seen ? std::exp(scale * score) : 0);
    total += weights.back();
  }
  for (double& weight : weights) weight /= total > 0 ? total : 1;
  return weights;
}

// The context, and then the weights where they are asked for.
Numbers attend(const Sizes& n, const DotProductOptions& options, bool with_weights,
               const Numbers& query, const Numbers& key, const Numbers& value) {
  Numbers context(static_cast<std::size_t>(n.queries * n.batch * n.heads * n.value_features));
  Numbers all;
  for (std::int64_t b = 0; b < n.batch; ++b)
    for (std::int64_t h = 0; h < n.heads; ++h)
      for (std::int64_t t = 0; t < n.queries; ++t) {
        const Numbers weights = weights_of(n, options, query, key, b, h, t);
        for (std::int64_t s = 0; s < n.keys; ++s)
          for (std::int64_t i = 0; i < n.value_features; ++i)
            context[at(n, n.value_features, t, b, h, i)] +=
                weights[static_cast<std::size_t>(s)] * value[at(n, n.value_features, s, b, h, i)];
        all.insert(all.end(), weights.begin(), weights.end());
      }
  if (with_weights) context.insert(context.end(), all.begin(), all.end());
  return context;
}

using Options = std::function<DotProductOptions(const Sizes&)>;

Results apply(const Operands& x, const DotProductOptions& options, bool with_weights) {
  if (!with_weights) return scaled_dot_product_attention(x[0], x[1], x[2], options);
  const SequenceAttention found =
      scaled_dot_product_attention_with_weights(x[0], x[1], x[2], options);
  return {found.context, found.weights};
}

OpCase attention_case(const std::string& what, const Sizes& small, const Sizes& large,
                      const Options& options, bool with_weights = false) {
  const auto heads = [=](const Sizes& n) {
    DotProductOptions all = options(n);
    all.heads = n.heads;
    return all;
  };
  return {"scaled_dot_product_attention" + what,
          {{small.query(), -2, 2}, {small.key(), -2, 2}, {small.value()}},
          {large.query(), large.key(), large.value()},
          [=](const Operands& x) {
            const bool is_small = x[0].shape() == small.query() && x[1].shape() == small.key();
            return apply(x, heads(is_small ? small : large), with_weights);
          },
          [=](const std::vector<Numbers>& x) {
            return attend(small, heads(small), with_weights, x[0], x[1], x[2]);
          }};
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
      {name + "0 heads asked for; it needs at least 1",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}), {.heads = 0})},
      {name + "the 5 features of value [5, 2, 5] cannot be shared out over 2 heads; use a multiple",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 5}))},
      {name + "query [3, 2, 4] does not fit key [5, 2, 6]; batch and features must be equal",
       call(of({3, 2, 4}), of({5, 2, 6}), of({5, 2, 4}))},
      {name + "value [6, 2, 4] does not fit key [5, 2, 4]; positions and batch must be equal",
       call(of({3, 2, 4}), of({5, 2, 4}), of({6, 2, 4}))},
      {name + "query is f32, key f64, value f32; convert them",
       call(of({3, 2, 4}), of({5, 2, 4}, DType::f64), of({5, 2, 4}))},
      {name + "lengths must be [2], one for each sequence; got [3]",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}), {.heads = 2, .lengths = {1, 2, 3}})},
      {name + "length 6 of sequence 1 is outside [0, 5], the number of keys",
       call(of({3, 2, 4}), of({5, 2, 4}), of({5, 2, 4}), {.heads = 2, .lengths = {1, 6}})}};
}

}  // namespace

std::vector<OpCase> sequence_attention_cases() {
  const Sizes odd{3, 5, 4, 2, 3, 2}, square{5, 5, 3, 2, 3, 2}, two_tiles{67, 131, 1, 2, 1, 1};
  const Sizes large{70, 131, 5, 3, 17, 9}, large_square{131, 131, 5, 3, 17, 9};
  const auto plain = [](const Sizes&) { return DotProductOptions{}; };
  const auto with_lengths = [](const Sizes& n) {
    return DotProductOptions{.lengths = some_lengths(n.batch, n.keys)};
  };
  const auto causal = [](const Sizes&) { return DotProductOptions{.causal = true}; };
  const auto continued = [](const Sizes& n) {
    return DotProductOptions{
        .lengths = some_lengths(n.batch, n.keys), .causal = true, .offset = n.keys - n.queries};
  };
  // The first query sees nothing.
  const auto early = [](const Sizes&) { return DotProductOptions{.causal = true, .offset = -1}; };
  std::vector<OpCase> cases = {
      attention_case("", odd, large, plain),
      attention_case(" with lengths", odd, large, with_lengths),
      attention_case(" that is causal", square, large_square, causal),
      attention_case(" that is causal, from a later position, with lengths", odd, large, continued),
      attention_case(" that is causal, with a query that sees nothing", odd, large, early),
      attention_case(" with a scale of its own", odd, large,
                     [](const Sizes&) { return DotProductOptions{.scale = 0.3}; }),
      attention_case(" over several tiles", two_tiles, large, plain),
      attention_case(" over several tiles that is causal", two_tiles, large_square, continued),
      attention_case(" with weights", odd, large, with_lengths, true),
      attention_case(" with weights over several tiles", two_tiles, large, early, true)};
  cases.front().bad_calls = bad_calls();

  // One tensor that asks itself: its gradient comes from all three operands.
  cases.push_back(
      {"scaled_dot_product_attention of a tensor with itself",
       {{{4, 3, 6}}},
       {{70, 5, 51}},
       [](const Operands& x) {
         return scaled_dot_product_attention(x[0], x[0], x[0], {.heads = 3, .causal = true});
       },
       [](const std::vector<Numbers>& x) {
         return attend({4, 4, 3, 3, 2, 2}, {.heads = 3, .causal = true}, false, x[0], x[0], x[0]);
       }});
  return cases;
}
