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
