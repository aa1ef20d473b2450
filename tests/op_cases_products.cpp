#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

// One matrix product [m, k] x [k, n], each operand possibly lying transposed.
void multiply(const double* a, bool a_transposed, const double* b, bool b_transposed, std::size_t m,
              std::size_t n, std::size_t k, Numbers& y) {
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j < n; ++j) {
      double total = 0;
      for (std::size_t l = 0; l < k; ++l)
        total += (a_transposed ? a[l * m + i] : a[i * k + l]) *
                 (b_transposed ? b[j * k + l] : b[l * n + j]);
      y.push_back(total);
    }
}

// [3, 5] x [5, 7], or `batch` of them; a batch of 0 means that the operand has rank 2.
OpCase matmul_case(const std::string& name, std::int64_t a_batch, std::int64_t b_batch,
                   MatmulOptions options) {
  const auto shape = [](std::int64_t batch, std::int64_t rows, std::int64_t columns,
                        bool transposed) {
    const Shape one = transposed ? Shape{columns, rows} : Shape{rows, columns};
    return batch == 0 ? one : one.with(0, batch);
  };
  const auto large_batch = [](std::int64_t batch) { return batch == 0 ? 0 : 5 * batch; };
  const bool batched = a_batch > 0 || b_batch > 0;
  const std::int64_t m = batched ? 67 : 64, k = batched ? 131 : 768, n = batched ? 129 : 256;
  return {
      name,
      {{shape(a_batch, 3, 5, options.transpose_a)}, {shape(b_batch, 5, 7, options.transpose_b)}},
      {shape(large_batch(a_batch), m, k, options.transpose_a),
       shape(large_batch(b_batch), k, n, options.transpose_b)},
      [=](const Operands& x) { return matmul(x[0], x[1], options); },
      [=](const std::vector<Numbers>& x) {
        Numbers y;
        const std::int64_t batch = std::max<std::int64_t>(1, std::max(a_batch, b_batch));
        for (std::int64_t i = 0; i < batch; ++i)
          multiply(&x[0][static_cast<std::size_t>(a_batch == 0 ? 0 : i * 15)], options.transpose_a,
                   &x[1][static_cast<std::size_t>(b_batch == 0 ? 0 : i * 35)], options.transpose_b,
                   3, 7, 5, y);
        return y;
      }};
}

std::vector<OpCase> attention_step_cases() {
  // Sources 5, batch 3, features 4; sequences are [5, 3, 4].
  const Shape sequence{5, 3, 4}, rows{3, 4}, weights{3, 5};
  const Shape large_sequence{37, 65, 129}, large_rows{65, 129}, large_weights{65, 37};
  const auto at = [](std::size_t s, std::size_t b, std::size_t i) { return (s * 3 + b) * 4 + i; };
  std::vector<OpCase> cases;
  cases.push_back({"dot_score",
                   {{rows}, {sequence}},
                   {large_rows, large_sequence},
                   [](const Operands& x) { return dot_score(x[0], x[1]); },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (std::size_t b = 0; b < 3; ++b)
                       for (std::size_t s = 0; s < 5; ++s) {
                         double score = 0;
                         for (std::size_t i = 0; i < 4; ++i)
                           score += x[0][b * 4 + i] * x[1][at(s, b, i)];
                         y.push_back(score);
                       }
                     return y;
                   },
                   {{"dot_score: query must be [3, 4] to fit [5, 3, 4]; got [4, 3]",
                     [] {
                       dot_score(of({4, 3}), of({5, 3, 4}));
                     }},
                    {"dot_score: keys must be [S, B, features]; got [3, 4]",
                     [] {
                       dot_score(of({3, 4}), of({3, 4}));
                     }},
                    {"dot_score: query is f32, expected f64", [] {
                       dot_score(of({3, 4}), of({5, 3, 4}, DType::f64));
                     }}}});
  cases.push_back({"additive_score",
                   {{rows}, {sequence}, {{4}}},
                   {large_rows, large_sequence, {129}},
                   [](const Operands& x) { return additive_score(x[0], x[1], x[2]); },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (std::size_t b = 0; b < 3; ++b)
                       for (std::size_t s = 0; s < 5; ++s) {
                         double score = 0;
                         for (std::size_t i = 0; i < 4; ++i)
                           score += x[2][i] * std::tanh(x[0][b * 4 + i] + x[1][at(s, b, i)]);
                         y.push_back(score);
                       }
                     return y;
                   },
                   {{"additive_score: query must be [3, 4] to fit [5, 3, 4]; got [3, 5]",
                     [] {
                       additive_score(of({3, 5}), of({5, 3, 4}), of({4}));
                     }},
                    {"additive_score: v must be [4] to fit [5, 3, 4]; got [5]", [] {
                       additive_score(of({3, 4}), of({5, 3, 4}), of({5}));
                     }}}});
  cases.push_back({"weighted_sum",
                   {{weights}, {sequence}},
                   {large_weights, large_sequence},
                   [](const Operands& x) { return weighted_sum(x[0], x[1]); },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (std::size_t b = 0; b < 3; ++b)
                       for (std::size_t i = 0; i < 4; ++i) {
                         double total = 0;
                         for (std::size_t s = 0; s < 5; ++s)
                           total += x[0][b * 5 + s] * x[1][at(s, b, i)];
                         y.push_back(total);
                       }
                     return y;
                   },
                   {{"weighted_sum: weights must be [3, 5] to fit [5, 3, 4]; got [5, 3]", [] {
                       weighted_sum(of({5, 3}), of({5, 3, 4}));
                     }}}});
  return cases;
}

}  // namespace

std::vector<OpCase> product_cases() {
  std::vector<OpCase> cases;
  cases.push_back(matmul_case("matmul", 0, 0, {}));
  cases.back().bad_calls = {
      {"matmul: inner sizes differ: a [32, 128] x b [64, 256]; a's last axis (128) must equal b's "
       "second-last (64)",
       [] {
         matmul(of({32, 128}), of({64, 256}));
       }},
      {"matmul: inner sizes differ: a [3, 2] transposed x b [2, 4]",
       [] {
         matmul(of({3, 2}), of({2, 4}), {.transpose_a = true});
       }},
      {"matmul: a [3] x b [3, 2]: both need at least two axes",
       [] {
         matmul(of({3}), of({3, 2}));
       }},
      {"matmul: leading axes differ: a [2, 3, 4] x b [5, 4, 3]",
       [] {
         matmul(of({2, 3, 4}), of({5, 4, 3}));
       }},
      {"matmul: dtypes differ: f32 [2, 2] and f64 [2, 2]", [] {
         matmul(of({2, 2}), of({2, 2}, DType::f64));
       }}};
  cases.push_back({"matmul with leading axes that stretch",
                   {{{2, 1, 3, 5}}, {{4, 5, 7}}},
                   {{3, 1, 67, 131}, {5, 131, 129}},
                   [](const Operands& x) { return matmul(x[0], x[1]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     for (std::size_t i = 0; i < 2; ++i)
                       for (std::size_t j = 0; j < 4; ++j)
                         multiply(&x[0][i * 15], false, &x[1][j * 35], false, 3, 7, 5, y);
                     return y;
                   }});
  cases.push_back(matmul_case("matmul with a transposed", 0, 0, {.transpose_a = true}));
  cases.push_back(matmul_case("matmul with b transposed", 0, 0, {.transpose_b = true}));
  cases.push_back(matmul_case("matmul with both transposed", 0, 0, {true, true}));
  cases.push_back(matmul_case("matmul of batches", 2, 2, {}));
  cases.push_back(matmul_case("matmul of batches, both transposed", 2, 2, {true, true}));
  cases.push_back(matmul_case("matmul of a batch and one matrix", 2, 0, {}));
  cases.push_back(matmul_case("matmul of a transposed batch and one matrix", 2, 0, {true, true}));
  cases.push_back(matmul_case("matmul of one matrix and a batch", 0, 2, {}));
  cases.push_back(matmul_case("matmul of one transposed matrix and a batch", 0, 2, {true, true}));

  cases.push_back({"linear",
                   {{{2, 3, 5}}, {{7, 5}}, {{7}}},
                   {{4, 16, 768}, {256, 768}, {256}},
                   [](const Operands& x) { return linear(x[0], x[1], x[2]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     multiply(x[0].data(), false, x[1].data(), true, 6, 7, 5, y);
                     for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i % 7];
                     return y;
                   },
                   {{"linear: x [2, 3] does not fit weight [4, 5]; x's last axis must be weight's "
                     "last (5)",
                     [] {
                       linear(of({2, 3}), of({4, 5}));
                     }},
                    {"linear: bias [3] does not fit weight [4, 5]; expected [4]", [] {
                       linear(of({2, 5}), of({4, 5}), of({3}));
                     }}}});
  cases.push_back({"linear with some columns of a weight",
                   {{{3, 5}}, {{7, 11}}, {{7}}},
                   {{64, 256}, {256, 768}, {256}},
                   [](const Operands& x) { return linear(x[0], x[1], x[2], 4); },
                   [](const std::vector<Numbers>& x) {
                     Numbers part, y;
                     for (std::size_t i = 0; i < 35; ++i)
                       part.push_back(x[1][i / 5 * 11 + 4 + i % 5]);
                     multiply(x[0].data(), false, part.data(), true, 3, 7, 5, y);
                     for (std::size_t i = 0; i < y.size(); ++i) y[i] += x[2][i % 7];
                     return y;
                   },
                   {{"linear: x [2, 3] does not fit columns 4 and on of weight [4, 5]; x's last "
                     "axis may be at most 1",
                     [] {
                       linear(of({2, 3}), of({4, 5}), {}, 4);
                     }}}});
  cases.push_back({"linear without a bias",
                   {{{3, 5}}, {{7, 5}}},
                   {{64, 768}, {256, 768}},
                   [](const Operands& x) { return linear(x[0], x[1]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers y;
                     multiply(x[0].data(), false, x[1].data(), true, 3, 7, 5, y);
                     return y;
                   }});
  for (OpCase& step : attention_step_cases()) cases.push_back(std::move(step));
  return cases;
}
