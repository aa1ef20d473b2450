#include <cmath>

#include "op_cases.h"

using namespace attune;

namespace {

// entmax of a row by its definition: tau is found by bisection for any alpha.
Numbers entmax_row(const Numbers& x, double alpha) {
  const auto weights = [&](double tau) {
    return each(x, [&](double v) {
      return std::pow(std::max(0.0, (alpha - 1) * v - tau), 1 / (alpha - 1));
    });
  };
  const auto sum = [](const Numbers& y) {
    double total = 0;
    for (const double v : y) total += v;
    return total;
  };
  double low = -100, high = 100;
  for (int i = 0; i < 200; ++i) {
    const double tau = (low + high) / 2;
    (sum(weights(tau)) > 1 ? low : high) = tau;
  }
  return weights(low);
}

// Rows of n numbers, each with an alpha.
Numbers entmax_rows(const Numbers& x, std::size_t n, const Numbers& alphas) {
  Numbers y;
  for (std::size_t row = 0; row * n < x.size(); ++row) {
    const auto first = x.begin() + static_cast<std::ptrdiff_t>(row * n);
    const Numbers of_row = entmax_row({first, first + static_cast<std::ptrdiff_t>(n)},
                                      alphas.size() == 1 ? alphas[0] : alphas[row]);
    y.insert(y.end(), of_row.begin(), of_row.end());
  }
  return y;
}

OpCase entmax_case(double alpha) {
  return {fmt::format("entmax of {}", alpha),
          {{{3, 2, 7}, -2, 2}},
          {{101, 3, 131}},
          [alpha](const Operands& x) { return entmax(x[0], alpha); },
          [alpha](const std::vector<Numbers>& x) { return entmax_rows(x[0], 7, {alpha}); },
          {{"entmax: alpha is 1; it must be above 1", [] {
              entmax(of({2, 3}), 1.0);
            }}}};
}

// What is left of the probability of passing positions first ... last - 1 of a row.
double passing(const double* p, std::size_t first, std::size_t last) {
  double product = 1;
  for (std::size_t s = first; s < last; ++s) product *= 1 - p[s];
  return product;
}

Numbers monotonic_rows(const Numbers& p, const Numbers& previous, std::size_t n) {
  Numbers y;
  for (std::size_t row = 0; row < p.size(); row += n)
    for (std::size_t s = 0; s < n; ++s) {
      double reached = 0;
      for (std::size_t k = 0; k <= s; ++k) reached += previous[row + k] * passing(&p[row], k, s);
      y.push_back(p[row + s] * reached);
    }
  return y;
}

Numbers chunkwise_rows(const Numbers& a, const Numbers& u, std::size_t n, std::size_t width) {
  Numbers y;
  for (std::size_t row = 0; row < a.size(); row += n)
    for (std::size_t s = 0; s < n; ++s) {
      double weight = 0;
      for (std::size_t k = s; k < std::min(n, s + width); ++k) {
        double total = 0;
        for (std::size_t l = k + 1 > width ? k + 1 - width : 0; l <= k; ++l)
          total += std::exp(u[row + l]);
        weight += a[row + k] * std::exp(u[row + s]) / total;
      }
      y.push_back(weight);
    }
  return y;
}

// x [T, B, C]
double padded(const Numbers& x, std::int64_t steps, std::int64_t rows, std::int64_t t,
              std::int64_t row) {
  return t < 0 || t >= steps ? 0 : x[static_cast<std::size_t>(t * rows + row)];
}

// log max(p, least) of mixtures of 7 generated tokens and two more with 5 copied ones, for 2 rows
// of tokens.
Numbers mixtures(const Numbers& logits, const Numbers& generate, const Numbers& copies,
                 const std::vector<std::int32_t>& tokens, double least) {
  Numbers y;
  for (std::size_t row = 0; row < generate.size(); ++row) {
    Numbers p(9, 0);
    double total = 0;
    for (std::size_t i = 0; i < 7; ++i) total += std::exp(logits[row * 7 + i]);
    for (std::size_t i = 0; i < 7; ++i)
      p[i] = generate[row] * std::exp(logits[row * 7 + i]) / total;
    for (std::size_t s = 0; s < 5; ++s)
      p[static_cast<std::size_t>(tokens[row % 2 * 5 + s])] += copies[row * 5 + s];
    for (const double v : p) y.push_back(std::log(std::max(v, least)));
  }
  return y;
}

}  // namespace

std::vector<OpCase> alignment_cases() {
  std::vector<OpCase> cases;
  for (const double alpha : {1.5, 2.0, 1.2, 2.7}) cases.push_back(entmax_case(alpha));
  cases.push_back({"entmax of an alpha for each row",
                   {{{3, 2, 7}, -2, 2}, {{3, 1, 1}, 1.1, 1.9}},
                   {{101, 3, 131}, {101, 1, 1}},
                   [](const Operands& x) { return entmax(x[0], x[1]); },
                   [](const std::vector<Numbers>& x) {
                     Numbers alphas;
                     for (const double alpha : x[1]) alphas.insert(alphas.end(), 2, alpha);
                     return entmax_rows(x[0], 7, alphas);
                   },
                   {{"entmax: alpha is f64, x f32", [] {
                       entmax(of({2, 3}), Tensor(Array::full({1}, 1.5, DType::f64)));
                     }}}});
  cases.push_back({"monotonic_alignment",
                   {{{5, 7}, 0.05, 0.95}, {{5, 7}, 0, 1}},
                   {{1001, 67}, {1001, 67}},
                   [](const Operands& x) { return monotonic_alignment(x[0], x[1]); },
                   [](const std::vector<Numbers>& x) { return monotonic_rows(x[0], x[1], 7); },
                   {{"monotonic_alignment: f32 [2, 3] and f32 [3, 2] do not fit", [] {
                       monotonic_alignment(of({2, 3}), of({3, 2}));
                     }}}});
  for (const std::int64_t width : {1, 3, 20})
    cases.push_back({fmt::format("chunkwise_weights of {}", width),
                     {{{5, 7}, 0, 1}, {{5, 7}, -2, 2}},
                     {{1001, 67}, {1001, 67}},
                     [width](const Operands& x) { return chunkwise_weights(x[0], x[1], width); },
                     [width](const std::vector<Numbers>& x) {
                       return chunkwise_rows(x[0], x[1], 7, static_cast<std::size_t>(width));
                     },
                     {{"chunkwise_weights: chunks of 0 positions", [] {
                         chunkwise_weights(of({2, 3}), of({2, 3}), 0);
                       }}}});
  cases.push_back(
      {"log_copy_mixture",
       {{{3, 2, 7}, -2, 2}, {{3, 2, 1}, 0.1, 0.9}, {{3, 2, 5}, 0.01, 0.2}},
       {{101, 3, 601}, {101, 3, 1}, {101, 3, 5}},
       [](const Operands& x) {
         const std::int64_t all = x[0].size(-1) + 2;
         return log_copy_mixture(x[0], x[1], x[2], ids({x[0].size(-2), 5}, all), all, 0.02);
       },
       [](const std::vector<Numbers>& x) {
         return mixtures(x[0], x[1], x[2], ids({2, 5}, 9).to_vector(), 0.02);
       },
       {{"log_copy_mixture: logits must be [..., B, V]; got [3]",
         [] {
           log_copy_mixture(of({3}), of({1}), of({2}), ids({1, 2}, 3), 3, 1e-9);
         }},
        {"log_copy_mixture: logits [2, 3] need tokens [2, S]; got [1, 2]",
         [] {
           log_copy_mixture(of({2, 3}), of({2, 1}), of({2, 2}), ids({1, 2}, 3), 3, 1e-9);
         }},
        {"need generate [2, 1] and copies [2, 2]; got [2, 3] and [2, 1]",
         [] {
           log_copy_mixture(of({2, 3}), of({2, 3}), of({2, 1}), ids({2, 2}, 3), 3, 1e-9);
         }},
        {"logits are f32, generate f64 and copies f32",
         [] {
           log_copy_mixture(of({2, 3}), of({2, 1}, DType::f64), of({2, 2}), ids({2, 2}, 3), 3,
                            1e-9);
         }},
        {"log_copy_mixture: 2 tokens in all are fewer than the 3 of logits [2, 3]",
         [] {
           log_copy_mixture(of({2, 3}), of({2, 1}), of({2, 2}), ids({2, 2}, 2), 2, 1e-9);
         }},
        {"log_copy_mixture: token 4 at position 1 of [1, 2] is outside [0, 4)",
         [] {
           log_copy_mixture(of({1, 3}), of({1, 1}), of({1, 2}), Indices({0, 4}).reshape({1, 2}), 4,
                            1e-9);
         }},
        {"log_copy_mixture: the least probability is 0", [] {
           log_copy_mixture(of({1, 3}), of({1, 1}), of({1, 2}), ids({1, 2}, 3), 3, 0);
         }}}});
  cases.push_back(
      {"unfold",
       {{{7, 2, 3}}},
       {{301, 5, 33}},
       [](const Operands& x) { return unfold(x[0], 4, {.left = 2, .right = 3, .stride = 2}); },
       [](const std::vector<Numbers>& x) {
         Numbers y;
         for (std::int64_t t = 0; t < 5; ++t)
           for (std::int64_t row = 0; row < 6; ++row)
             for (std::int64_t k = 0; k < 4; ++k)
               y.push_back(padded(x[0], 7, 6, 2 * t + k - 2, row));
         return y;
       },
       {{"unfold: x [2, 3]; expected [T, B, C]",
         [] {
           unfold(of({2, 3}), 1);
         }},
        {"unfold: width 0",
         [] {
           unfold(of({2, 3, 4}), 0);
         }},
        {"unfold: 2 steps with padding are fewer than a window of 3", [] {
           unfold(of({2, 3, 4}), 3);
         }}}});
  cases.push_back(
      {"conv1d",
       {{{7, 2, 3}}, {{5, 3, 4}}, {{5}}},
       {{301, 5, 33}, {17, 33, 4}, {17}},
       [](const Operands& x) { return conv1d(x[0], x[1], x[2], {.left = 1, .right = 2}); },
       [](const std::vector<Numbers>& x) {
         Numbers y;
         for (std::int64_t t = 0; t < 7; ++t)
           for (std::int64_t b = 0; b < 2; ++b)
             for (std::size_t o = 0; o < 5; ++o) {
               double sum = x[2][o];
               for (std::size_t c = 0; c < 3; ++c)
                 for (std::size_t k = 0; k < 4; ++k)
                   sum += x[1][(o * 3 + c) * 4 + k] * padded(x[0], 7, 6,
                                                             t + static_cast<std::int64_t>(k) - 1,
                                                             b * 3 + static_cast<std::int64_t>(c));
               y.push_back(sum);
             }
         return y;
       },
       {{"conv1d: x [2, 3, 4] and weight [2, 3, 4] do not fit", [] {
           conv1d(of({2, 3, 4}), of({2, 3, 4}));
         }}}});
  return cases;
}
