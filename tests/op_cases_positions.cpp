#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

// Buckets for the scores of x: as many queries as x has, or 4 for one that all queries share.
Indices buckets_of(const Tensor& x, std::int64_t keys) {
  return ids({x.size(-2) == 1 ? 4 : x.size(-2), keys}, x.size(-1));
}

OpCase from_buckets_case(const std::string& name, const Shape& small, const Shape& large) {
  return {name,
          {{small}},
          {large},
          [](const Operands& x) {
            return from_buckets(x[0], buckets_of(x[0], x[0].size(0) == 3 ? 5 : 131));
          },
          [small](const std::vector<Numbers>& v) {
            const Indices buckets = buckets_of(Tensor(Array::zeros(small)), 5);
            const std::int64_t queries = buckets.shape()[0];
            Numbers y;
            for (std::int64_t o = 0; o < 3; ++o)
              for (std::int64_t t = 0; t < queries; ++t)
                for (std::int64_t s = 0; s < 5; ++s)
                  y.push_back(v[0][static_cast<std::size_t>(
                      (small[1] == 1 ? o : o * queries + t) * small[2] + buckets.at(t * 5 + s))]);
            return y;
          }};
}

}  // namespace

std::vector<OpCase> position_cases() {
  std::vector<OpCase> cases = {
      from_buckets_case("from_buckets", {3, 4, 6}, {67, 131, 9}),
      from_buckets_case("from_buckets of entries that all queries share", {3, 1, 6}, {9, 1, 67}),
      {"into_buckets",
       {{{3, 4, 5}}},
       {{67, 131, 9}},
       [](const Operands& x) {
         return into_buckets(x[0], ids({x[0].size(1), x[0].size(2)}, 3), 3);
       },
       [](const std::vector<Numbers>& v) {
         const Indices buckets = ids({4, 5}, 3);
         Numbers y(3 * 4 * 3);
         for (std::int64_t i = 0; i < 60; ++i)
           y[static_cast<std::size_t>(i / 5 * 3 + buckets.at(i % 20))] +=
               v[0][static_cast<std::size_t>(i)];
         return y;
       },
       {{"into_buckets: weights [2, 3, 4] do not fit buckets [3, 3]; expected [..., T, S] and "
         "[T, S]",
         [] {
           into_buckets(of({2, 3, 4}), ids({3, 3}, 2), 2);
         }},
        {"into_buckets: bucket 2 of query 0 and key 1 is outside [0, 2)",
         [] {
           into_buckets(of({1, 2}), Indices({1, 2}).reshape({1, 2}), 2);
         }}}},
      {"rotary",
       {{{4, 3, 10}}},  // two heads of 5, an odd number
       {{131, 7, 66}},
       [](const Operands& x) { return rotary(x[0], {.heads = 2, .first = 3, .base = 50}); },
       [](const std::vector<Numbers>& v) {
         Numbers y = v[0];
         for (std::size_t row = 0; row < 4 * 3 * 2; ++row)
           for (std::size_t i = 0; i < 2; ++i) {
             const double angle = (3.0 + static_cast<double>(row / 6)) *
                                  std::pow(50, -2 * static_cast<double>(i) / 5);
             const double a = v[0][row * 5 + 2 * i], b = v[0][row * 5 + 2 * i + 1];
             y[row * 5 + 2 * i] = a * std::cos(angle) - b * std::sin(angle);
             y[row * 5 + 2 * i + 1] = a * std::sin(angle) + b * std::cos(angle);
           }
         return y;
       },
       {{"rotary: x must be [T, B, features], with features that are a multiple of the 2 heads; "
         "got [2, 1, 3]",
         [] {
           rotary(of({2, 1, 3}), {.heads = 2});
         }},
        {"rotary: the first position is -1; they are counted from 0",
         [] {
           rotary(of({2, 1, 4}), {.first = -1});
         }},
        {"rotary: the base is 0; it must be above 0",
         [] {
           rotary(of({2, 1, 4}), {.base = 0});
         }}}},
  };
  cases[0].bad_calls = {{"from_buckets: x [2, 3, 4] does not fit buckets [2, 5]; expected "
                         "[..., T, N] or [..., 1, N], and [T, S]",
                         [] {
                           from_buckets(of({2, 3, 4}), ids({2, 5}, 4));
                         }},
                        {"from_buckets: bucket 4 of query 0 and key 0 is outside [0, 4)", [] {
                           from_buckets(of({1, 4}), Indices({4}).reshape({1, 1}));
                         }}};
  return cases;
}
