#include <cmath>

#include "op_cases.h"

using namespace attune;

// Operations whose memory of earlier positions is a state, and what belongs to them.
namespace {

struct Sizes {
  std::int64_t steps, batch, heads, keys, values;

  Shape key() const { return {steps, batch, heads * keys}; }
  Shape value() const { return {steps, batch, heads * values}; }
  Shape of_heads() const { return {steps, batch, heads}; }
  Shape state() const { return {batch, heads, keys, values}; }
};

struct Variant {
  const char* name;
  bool delta, decay, state;
};

// The operands after query, key and value, in the order beta, log_decay, state.
LinearAttentionOptions options_of(const Sizes& n, const Variant& variant, const Operands& x) {
  std::size_t next = variant.delta ? 4 : 3;
  LinearAttentionOptions options{.heads = n.heads, .log_decay = {}, .state = {}};
  if (variant.decay) options.log_decay = x[next++];
  if (variant.state) options.state = x[next];
  return options;
}

// One position after another; S [B, H, K, V] is the state, to which the outputs y belong.
Numbers attend(const Sizes& n, const Variant& variant, const std::vector<Numbers>& x) {
  const std::size_t keys = static_cast<std::size_t>(n.keys),
                    values = static_cast<std::size_t>(n.values);
  const std::size_t pairs = static_cast<std::size_t>(n.batch * n.heads);
  const std::size_t decays = variant.delta ? 4 : 3;
  Numbers s(pairs * keys * values), y;
  if (variant.state) s = x.back();
  for (std::size_t t = 0; t < static_cast<std::size_t>(n.steps); ++t)
    for (std::size_t pair = 0; pair < pairs; ++pair) {
      const double* q = &x[0][(t * pairs + pair) * keys];
      const double* k = &x[1][(t * pairs + pair) * keys];
      const double* v = &x[2][(t * pairs + pair) * values];
      const double a = variant.decay ? std::exp(x[decays][t * pairs + pair]) : 1;
      double* of_pair = &s[pair * keys * values];
      for (std::size_t j = 0; j < values; ++j) {
        double found = 0, read = 0;
        for (std::size_t i = 0; i < keys; ++i) found += k[i] * (of_pair[i * values + j] *= a);
        const double u = variant.delta ? x[3][t * pairs + pair] * (v[j] - found) : v[j];
        for (std::size_t i = 0; i < keys; ++i) read += q[i] * (of_pair[i * values + j] += k[i] * u);
        y.push_back(read);
      }
    }
  y.insert(y.end(), s.begin(), s.end());
  return y;
}

OpCase attention_case(const Variant& variant, const Sizes& small, const Sizes& large) {
  OpCase row{.name = fmt::format("{} of {} positions", variant.name, small.steps),
             .operands = {{small.key()}, {small.key(), -0.25, 0.25}, {small.value()}},
             .large = {large.key(), large.key(), large.value()},
             .apply = {},
             .expected = {}};
  const auto add = [&](const Shape& of_small, const Shape& of_large, double low, double high) {
    row.operands.push_back({of_small, low, high});
    row.large.push_back(of_large);
  };
  if (variant.delta) add(small.of_heads(), large.of_heads(), 0, 1);
  if (variant.decay) add(small.of_heads(), large.of_heads(), -0.5, 0);
  if (variant.state) add(small.state(), large.state(), -1, 1);
  row.apply = [=](const Operands& x) {
    const Sizes& n = x[0].shape() == small.key() ? small : large;
    const LinearAttentionOptions options = options_of(n, variant, x);
    const StateResult found = variant.delta ? delta_rule(x[0], x[1], x[2], x[3], options)
                                            : linear_attention(x[0], x[1], x[2], options);
    return Results{found.output, found.state};
  };
  row.expected = [=](const std::vector<Numbers>& x) { return attend(small, variant, x); };
  return row;
}

std::vector<OpCase> attention_cases() {
  std::vector<OpCase> cases;
  const Sizes large{131, 9, 2, 33, 17};
  for (const Variant& variant :
       {Variant{"linear_attention", false, false, false},
        Variant{"linear_attention with decay and state", false, true, true},
        Variant{"delta_rule", true, false, false},
        Variant{"delta_rule with state", true, false, true},
        Variant{"delta_rule with decay and state", true, true, true}})
    for (const Sizes& small : {Sizes{5, 2, 3, 4, 3}, Sizes{1, 2, 1, 3, 2}, Sizes{70, 1, 1, 3, 2},
                               Sizes{128, 1, 1, 2, 1}})
      cases.push_back(attention_case(variant, small, large));
  cases.front().bad_calls = {
      {"linear_attention: query [2, 3, 4] and value [2, 3, 4] must be [T, B, features], time "
       "first, "
       "with a multiple of 3 heads",
       [] {
         linear_attention(of({2, 3, 4}), of({2, 3, 4}), of({2, 3, 4}),
                          {.heads = 3, .log_decay = {}, .state = {}});
       }},
      {"linear_attention: key is f32 [2, 3, 5]; expected f32 [2, 3, 4]",
       [] {
         linear_attention(of({2, 3, 4}), of({2, 3, 5}), of({2, 3, 4}));
       }},
      {"delta_rule: beta is f32 [2, 3]; expected f32 [2, 3, 1]",
       [] {
         delta_rule(of({2, 3, 4}), of({2, 3, 4}), of({2, 3, 4}), of({2, 3}));
       }},
      {"linear_attention: state is f64 [3, 1, 4, 4]; expected f32 [3, 1, 4, 4]", [] {
         linear_attention(of({2, 3, 4}), of({2, 3, 4}), of({2, 3, 4}),
                          {.heads = 1, .log_decay = {}, .state = of({3, 1, 4, 4}, DType::f64)});
       }}};
  return cases;
}

struct ScanSizes {
  std::int64_t steps, batch, channels, states;
};

// x, delta, a, b, c, state as in selective_scan().
Numbers scan(const ScanSizes& n, const std::vector<Numbers>& x) {
  const auto steps = static_cast<std::size_t>(n.steps), batch = static_cast<std::size_t>(n.batch),
             channels = static_cast<std::size_t>(n.channels),
             states = static_cast<std::size_t>(n.states);
  Numbers h = x.size() > 5 ? x[5] : Numbers(batch * states * channels), y;
  for (std::size_t t = 0; t < steps; ++t)
    for (std::size_t row = 0; row < batch; ++row)
      for (std::size_t e = 0; e < channels; ++e) {
        const double u = x[0][(t * batch + row) * channels + e];
        const double delta = x[1][(t * batch + row) * channels + e];
        double sum = 0;
        for (std::size_t s = 0; s < states; ++s) {
          double& now = h[(row * states + s) * channels + e];
          now = std::exp(delta * x[2][s * channels + e]) * now +
                delta * x[3][(t * batch + row) * states + s] * u;
          sum += x[4][(t * batch + row) * states + s] * now;
        }
        y.push_back(sum);
      }
  y.insert(y.end(), h.begin(), h.end());
  return y;
}

OpCase scan_case(const ScanSizes& n, bool with_state) {
  const ScanSizes large{67, 9, 131, 5};
  const auto shapes = [](const ScanSizes& of) {
    return std::vector<Shape>{
        {of.steps, of.batch, of.channels}, {of.steps, of.batch, of.channels},
        {of.states, of.channels},          {of.steps, of.batch, of.states},
        {of.steps, of.batch, of.states},   {of.batch, of.states, of.channels}};
  };
  const std::vector<Shape> small = shapes(n);
  OpCase row{
      .name =
          fmt::format("selective_scan of {} positions{}", n.steps, with_state ? " with state" : ""),
      .operands = {{small[0]}, {small[1], 0.1, 0.9}, {small[2], -2, 0}, {small[3]}, {small[4]}},
      .large = shapes(large),
      .apply =
          [](const Operands& x) {
            const StateResult found =
                selective_scan(x[0], x[1], x[2], x[3], x[4], x.size() > 5 ? x[5] : Tensor());
            return Results{found.output, found.state};
          },
      .expected = [n](const std::vector<Numbers>& x) { return scan(n, x); }};
  if (with_state)
    row.operands.push_back({small[5]});
  else
    row.large.pop_back();
  return row;
}

double at(const Numbers& x, std::int64_t i) { return x[static_cast<std::size_t>(i)]; }

OpCase depthwise_case() {
  return {"depthwise_conv1d",
          {{{7, 2, 3}}, {{3, 4}}, {{3}}},
          {{301, 9, 65}, {65, 4}, {65}},
          [](const Operands& x) {
            return Results{depthwise_conv1d(x[0], x[1], x[2], {.left = 3}),
                           depthwise_conv1d(x[0], x[1], {}, {.left = 1, .right = 5, .stride = 2})};
          },
          [](const std::vector<Numbers>& x) {
            Numbers y;
            const auto add = [&](std::int64_t steps, std::int64_t left, std::int64_t stride,
                                 bool bias) {
              for (std::int64_t t = 0; t < steps; ++t)
                for (std::int64_t b = 0; b < 2; ++b)
                  for (std::int64_t c = 0; c < 3; ++c) {
                    double sum = bias ? at(x[2], c) : 0;
                    for (std::int64_t k = 0; k < 4; ++k) {
                      const std::int64_t from = t * stride + k - left;
                      if (from >= 0 && from < 7)
                        sum += at(x[1], c * 4 + k) * at(x[0], (from * 2 + b) * 3 + c);
                    }
                    y.push_back(sum);
                  }
            };
            add(7, 3, 1, true);
            add(5, 1, 2, false);
            return y;
          },
          {{"depthwise_conv1d: x f32 [2, 3, 4] and weight f32 [3, 2] do not fit",
            [] {
              depthwise_conv1d(of({2, 3, 4}), of({3, 2}));
            }},
           {"depthwise_conv1d: 2 steps with padding are fewer than a window of 3", [] {
              depthwise_conv1d(of({2, 3, 4}), of({4, 3}));
            }}}};
}

OpCase reverse_case() {
  return {"reverse_sequence",
          {{{4, 3, 2}}},
          {{301, 9, 65}},
          [](const Operands& x) {
            const Indices lengths = some_lengths(x[0].size(1), x[0].size(0));
            return Results{reverse_sequence(x[0], lengths), reverse_sequence(x[0], {})};
          },
          [](const std::vector<Numbers>& x) {
            Numbers y;
            const Indices lengths = some_lengths(3, 4);
            for (const bool cut : {true, false})
              for (std::int64_t t = 0; t < 4; ++t)
                for (std::int64_t i = 0; i < 6; ++i) {
                  const std::int64_t from = (cut ? lengths.at(i / 2) : 4) - 1 - t;
                  y.push_back(from < 0 ? 0 : at(x[0], from * 6 + i));
                }
            return y;
          },
          {{"reverse_sequence: lengths must be [3], one for each sequence; got [2]", [] {
              reverse_sequence(of({4, 3}), {1, 2});
            }}}};
}

}  // namespace

std::vector<OpCase> state_cases() {
  std::vector<OpCase> cases = attention_cases();
  for (const bool with_state : {false, true})
    for (const ScanSizes& n :
         {ScanSizes{5, 2, 3, 4}, ScanSizes{1, 2, 2, 1}, ScanSizes{37, 1, 2, 3}})
      cases.push_back(scan_case(n, with_state));
  cases.back().bad_calls = {
      {"selective_scan: x [2, 3, 4] and a [5, 3] do not fit; expected [T, B, E] and [N, E]",
       [] {
         selective_scan(of({2, 3, 4}), of({2, 3, 4}), of({5, 3}), of({2, 3, 5}), of({2, 3, 5}));
       }},
      {"selective_scan: c is f32 [2, 3, 4]; expected f32 [2, 3, 5]", [] {
         selective_scan(of({2, 3, 4}), of({2, 3, 4}), of({5, 4}), of({2, 3, 5}), of({2, 3, 4}));
       }}};
  cases.push_back(depthwise_case());
  cases.push_back(reverse_case());
  return cases;
}
