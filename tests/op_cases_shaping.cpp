#include "op_cases.h"

using namespace attune;

namespace {

// Elements of x [3, 4, 5] in another order.
Numbers picked(const Numbers& x, const Shape& shape,
               const std::function<std::size_t(std::size_t, std::size_t, std::size_t)>& from) {
  Numbers y;
  for (std::int64_t i = 0; i < shape[0]; ++i)
    for (std::int64_t j = 0; j < shape[1]; ++j)
      for (std::int64_t k = 0; k < shape[2]; ++k)
        y.push_back(x[from(static_cast<std::size_t>(i), static_cast<std::size_t>(j),
                           static_cast<std::size_t>(k))]);
  return y;
}

std::size_t at(std::size_t i, std::size_t j, std::size_t k) { return (i * 4 + j) * 5 + k; }

}  // namespace

std::vector<OpCase> shaping_cases() {
  const Shape small{3, 4, 5}, large{33, 44, 101};
  std::vector<OpCase> cases;
  cases.push_back({"reshape",
                   {{small}},
                   {large},
                   [](const Operands& x) {
                     return reshape(x[0], {-1, x[0].size(0)});
                   },
                   [](const std::vector<Numbers>& x) { return x[0]; },
                   {{"reshape: [3, 4] has 12 elements and [5, 2] has 10; they must be equal",
                     [] {
                       reshape(of({3, 4}), {5, 2});
                     }},
                    {"reshape: 12 elements of [3, 4] cannot be reshaped to [5, -1]", [] {
                       reshape(of({3, 4}), {5, -1});
                     }}}});
  cases.push_back(
      {"permute",
       {{small}},
       {large},
       [](const Operands& x) {
         return Results{permute(x[0], {2, 0, 1}), permute(x[0], {1, 0, 2}),
                        permute(x[0], {-1, 1, 0})};
       },
       [](const std::vector<Numbers>& x) {
         const auto a = picked(x[0], {5, 3, 4}, [](auto i, auto j, auto k) { return at(j, k, i); });
         const auto b = picked(x[0], {4, 3, 5}, [](auto i, auto j, auto k) { return at(j, i, k); });
         const auto c = picked(x[0], {5, 4, 3}, [](auto i, auto j, auto k) { return at(k, j, i); });
         Numbers y = a;
         y.insert(y.end(), b.begin(), b.end());
         y.insert(y.end(), c.begin(), c.end());
         return y;
       },
       {{"permute: the order [0, 0] does not name each of the 2 axes of [3, 4] once",
         [] {
           permute(of({3, 4}), {0, 0});
         }},
        {"permute: axis 2 is outside a tensor of shape [3, 4]", [] {
           permute(of({3, 4}), {0, 2});
         }}}});
  cases.push_back(
      {"transpose",
       {{small}},
       {large},
       [](const Operands& x) { return transpose(x[0]); },
       [](const std::vector<Numbers>& x) {
         return picked(x[0], {3, 5, 4}, [](auto i, auto j, auto k) { return at(i, k, j); });
       },
       {{"transpose: axis -2 is outside a tensor of shape [3]", [] { transpose(of({3})); }}}});
  cases.push_back(
      {"concat along the leading axis",
       {{{2, 3}}, {{1, 3}}},
       {{311, 101}, {199, 101}},
       [](const Operands& x) {
         return concat({x[0], x[1], x[0]});
       },
       [](const std::vector<Numbers>& x) {
         Numbers y = x[0];
         y.insert(y.end(), x[1].begin(), x[1].end());
         y.insert(y.end(), x[0].begin(), x[0].end());
         return y;
       },
       {{"concat: no tensors given; at least one is needed", [] { concat({}); }},
        {"concat: part 1 of shape [2, 4] does not fit [2, 3] along axis 0; all other axes must be "
         "equal",
         [] {
           concat({of({2, 3}), of({2, 4})});
         }},
        {"concat: dtypes differ: f32 [2] and f64 [2]", [] {
           concat({of({2}), of({2}, DType::f64)});
         }}}});
  cases.push_back({"append",
                   {{{2, 3}}, {{1, 3}}},
                   {{311, 101}, {199, 101}},
                   [](const Operands& x) { return append(append(x[0], x[1]), x[0]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers y = x[0];
                     y.insert(y.end(), x[1].begin(), x[1].end());
                     y.insert(y.end(), x[0].begin(), x[0].end());
                     return y;
                   },
                   {{"concat: part 1 of shape [2, 4] does not fit [2, 3] along axis 0", [] {
                       append(of({2, 3}), of({2, 4}));
                     }}}});
  cases.push_back({"concat along the last axis",
                   {{{2, 3}}, {{2, 1}}},
                   {{501, 37}, {501, 65}},
                   [](const Operands& x) {
                     return concat({x[0], x[1]}, -1);
                   },
                   [](const std::vector<Numbers>& x) {
                     return Numbers{x[0][0], x[0][1], x[0][2], x[1][0],
                                    x[0][3], x[0][4], x[0][5], x[1][1]};
                   }});
  cases.push_back({"stack",
                   {{{2, 3}}, {{2, 3}}},
                   {{501, 37}, {501, 37}},
                   [](const Operands& x) {
                     return Results{stack({x[0], x[1]}), stack({x[0], x[1]}, -1)};
                   },
                   [](const std::vector<Numbers>& x) {
                     Numbers y = x[0];
                     y.insert(y.end(), x[1].begin(), x[1].end());
                     for (std::size_t i = 0; i < 6; ++i) {
                       y.push_back(x[0][i]);
                       y.push_back(x[1][i]);
                     }
                     return y;
                   },
                   {{"stack: no tensors given; at least one is needed", [] { stack({}); }},
                    {"stack: part 1 has shape [3], part 0 has [2]; all must be equal", [] {
                       stack({of({2}), of({3})});
                     }}}});
  cases.push_back({"slice",
                   {{small}},
                   {large},
                   [](const Operands& x) {
                     return Results{slice(x[0], 0, 1, 3), slice(x[0], 1, 0, 2),
                                    slice(x[0], 1, 1, 4), slice(x[0], -1, 2, 3)};
                   },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     const auto add = [&](const Shape& shape, std::size_t i0, std::size_t j0,
                                          std::size_t k0) {
                       for (double v : picked(x[0], shape, [=](auto i, auto j, auto k) {
                              return at(i + i0, j + j0, k + k0);
                            }))
                         y.push_back(v);
                     };
                     add({2, 4, 5}, 1, 0, 0);
                     add({3, 2, 5}, 0, 0, 0);
                     add({3, 3, 5}, 0, 1, 0);
                     add({3, 4, 1}, 0, 0, 2);
                     return y;
                   },
                   {{"slice: [1, 4) is outside axis 0 of [3, 2]; use 0 <= first <= last <= 3", [] {
                       slice(of({3, 2}), 0, 1, 4);
                     }}}});
  cases.push_back({"split",
                   {{{2, 5}}},
                   {{333, 105}},
                   [](const Operands& x) {
                     return split(x[0], {1, x[0].size(1) - 3, 2}, -1);
                   },
                   [](const std::vector<Numbers>& v) {
                     const Numbers& x = v[0];
                     return Numbers{x[0], x[5], x[1], x[2], x[6], x[7], x[3], x[4], x[8], x[9]};
                   },
                   {{"split: the sizes [1, 2] do not add up to 4, axis 0 of [4, 2]", [] {
                       split(of({4, 2}), {1, 2});
                     }}}});
  cases.push_back({"leading index",
                   {{small}},
                   {large},
                   [](const Operands& x) {
                     return Results{x[0][2], x[0][0], x[0][2][1]};
                   },
                   [](const std::vector<Numbers>& v) {
                     const Numbers& x = v[0];
                     Numbers y(x.begin() + 40, x.end());
                     y.insert(y.end(), x.begin(), x.begin() + 20);
                     y.insert(y.end(), x.begin() + 45, x.begin() + 50);
                     return y;
                   },
                   {{"index: 3 is outside the leading axis of [3, 2]; use -3 to 2", [] {
                       of({3, 2})[3];
                     }}}});
  cases.push_back({"broadcast_to",
                   {{{3, 1}}},
                   {{303, 1}},
                   [](const Operands& x) {
                     return broadcast_to(x[0], {2, x[0].size(0), 71});
                   },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (int i = 0; i < 2; ++i)
                       for (const double v : x[0]) y.insert(y.end(), 71, v);
                     return y;
                   },
                   {{"broadcast_to: [3] cannot be stretched to [1]; only axes of size 1 stretch",
                     [] { broadcast_to(of({3}), {1}); }},
                    {"broadcast_to: shapes do not broadcast: [3] and [4]",
                     [] { broadcast_to(of({3}), {4}); }}}});
  cases.push_back(
      {"gather",
       {{{3, 5}}},
       {{40001, 3}},
       [](const Operands& x) { return gather(x[0], ids({x[0].size(0)}, x[0].size(1))); },
       [](const std::vector<Numbers>& x) {
         Numbers y;
         for (std::size_t i = 0; i < 3; ++i)
           y.push_back(x[0][i * 5 + static_cast<std::size_t>(
                                        ids({3}, 5).at(static_cast<std::int64_t>(i)))]);
         return y;
       },
       {{"gather: x [2, 3] needs an index for each position of its leading axes; got "
         "[3]",
         [] {
           gather(of({2, 3}), {0, 1, 2});
         }},
        {"gather: index 3 at position 1 is outside [0, 3), the last axis of [2, 3]", [] {
           gather(of({2, 3}), {0, 3});
         }}}});
  cases.push_back(
      {"index_select",
       {{{3, 4, 5}}},
       {{33, 44, 101}},
       [](const Operands& x) {
         std::vector<std::int32_t> own;  // for each entry of axis 0: 0, 3; 1, 0; 2, 1 ...
         for (std::int32_t i = 0; i < x[0].size(0); ++i)
           own.insert(own.end(), {i % 4, (i + 3) % 4});
         return Results{index_select(x[0], 1, {2, 0, 2}), index_select(x[0], 0, {1, 1}),
                        index_select(x[0], -1, {0}),
                        index_select(x[0], 1, Indices(own, {x[0].size(0), 2}))};
       },
       [](const std::vector<Numbers>& x) {
         const std::size_t middle[] = {2, 0, 2};
         const auto a =
             picked(x[0], {3, 3, 5}, [&](auto i, auto j, auto k) { return at(i, middle[j], k); });
         const auto b = picked(x[0], {2, 4, 5}, [](auto, auto j, auto k) { return at(1, j, k); });
         const auto c = picked(x[0], {3, 4, 1}, [](auto i, auto j, auto) { return at(i, j, 0); });
         const auto d = picked(x[0], {3, 2, 5},
                               [](auto i, auto j, auto k) { return at(i, (i + 3 * j) % 4, k); });
         Numbers y = a;
         y.insert(y.end(), b.begin(), b.end());
         y.insert(y.end(), c.begin(), c.end());
         y.insert(y.end(), d.begin(), d.end());
         return y;
       },
       {{"index_select: index 3 at position 1 is outside [0, 3), axis 0 of x [3, 2]",
         [] {
           index_select(of({3, 2}), 0, {0, 3});
         }},
        {"index_select: the index [] does not fit axis 1 of x [3, 2]; expected [N], or [3, N]",
         [] {
           index_select(of({3, 2}), 1, {});
         }},
        {"index_select: the index [2, 2] does not fit axis 1 of x [3, 2]; expected [N], or [3, N]",
         [] {
           index_select(of({3, 2}), 1, Indices(std::vector<std::int32_t>{0, 1, 0, 1}, {2, 2}));
         }}}});
  return cases;
}
