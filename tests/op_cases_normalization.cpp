#include <cmath>

#include "attune/autograd/kernels/elementwise.h"
#include "op_cases.h"

using namespace attune;

namespace {

// Softmax, or its logarithm, of the first `length` of n numbers that lie `step` apart.
void softmax_line(const double* x, std::size_t n, std::size_t step, std::size_t length,
                  bool logarithm, double* y) {
  double total = 0;
  for (std::size_t i = 0; i < length; ++i) total += std::exp(x[i * step]);
  for (std::size_t i = 0; i < n; ++i) {
    const double p = std::exp(x[i * step]) / total;
    y[i * step] = i >= length ? 0 : (logarithm ? std::log(p) : p);
  }
}

// 0 for the -infinity that log_softmax gives beyond a length.
Tensor finite(const Tensor& y) {
  const Array kept = map(y.value(), [](auto v) { return decltype(v)(std::isfinite(v)); });
  return where(kept, y, Tensor(Array::zeros(y.shape(), y.dtype())));
}

void add_softmax(std::vector<OpCase>& cases, const std::string& name,
                 Tensor (*op)(const Tensor&, int, const Indices&), bool logarithm) {
  cases.push_back(
      {name + " over the last axis",
       {{{3, 5, 7}, -3, 3}},
       {{101, 7, 131}},
       [op](const Operands& x) { return op(x[0], -1, {}); },
       [=](const std::vector<Numbers>& x) {
         Numbers y(105);
         for (std::size_t row = 0; row < 15; ++row)
           softmax_line(&x[0][row * 7], 7, 1, 7, logarithm, &y[row * 7]);
         return y;
       },
       {{name + ": axis 2 is outside a tensor of shape [2, 3]; use -2 to 1",
         [op] {
           op(of({2, 3}), 2, {});
         }},
        {name + ": lengths must be [2], one for each row of axis 0 of x [2, 3]; got [3]",
         [op] {
           op(of({2, 3}), -1, {1, 2, 3});
         }},
        {name + ": length 4 of row 1 is outside [0, 3], axis 1 of x [2, 3]",
         [op] {
           op(of({2, 3}), -1, {1, 4});
         }},
        {name + ": with lengths, axis 0 of x [2, 3] is the batch and cannot be the "
                "axis to normalise",
         [op] {
           op(of({2, 3}), 0, {1, 2});
         }}}});
  cases.push_back({name + " over the leading axis",
                   {{{5, 3}, -3, 3}},
                   {{101, 333}},
                   [op](const Operands& x) { return op(x[0], 0, {}); },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y(15);
                     for (std::size_t j = 0; j < 3; ++j)
                       softmax_line(&x[0][j], 5, 3, 5, logarithm, &y[j]);
                     return y;
                   }});
  cases.push_back({name + " with lengths",
                   {{{4, 2, 3}, -3, 3}},
                   {{401, 2, 67}},
                   [op](const Operands& x) {
                     return finite(op(x[0], -1, some_lengths(x[0].size(0), x[0].size(2))));
                   },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y(24);
                     for (std::size_t row = 0; row < 8; ++row) {
                       const auto length =
                           some_lengths(4, 3).at(static_cast<std::int64_t>(row / 2));
                       softmax_line(&x[0][row * 3], 3, 1, static_cast<std::size_t>(length),
                                    logarithm, &y[row * 3]);
                     }
                     return y;
                   }});
  cases.push_back({name + " with lengths over a middle axis",
                   {{{4, 3, 2}, -3, 3}},
                   {{401, 67, 2}},
                   [op](const Operands& x) {
                     return finite(op(x[0], 1, some_lengths(x[0].size(0), x[0].size(1))));
                   },
                   [=](const std::vector<Numbers>& x) {
                     Numbers y(24);
                     for (std::size_t b = 0; b < 4; ++b)
                       for (std::size_t j = 0; j < 2; ++j)
                         softmax_line(&x[0][b * 6 + j], 3, 2,
                                      static_cast<std::size_t>(
                                          some_lengths(4, 3).at(static_cast<std::int64_t>(b))),
                                      logarithm, &y[b * 6 + j]);
                     return y;
                   }});
}

}  // namespace

std::vector<OpCase> normalization_cases() {
  std::vector<OpCase> cases;
  add_softmax(cases, "softmax", softmax, false);
  add_softmax(cases, "log_softmax", log_softmax, true);
  cases.push_back(
      {"layer_norm",
       {{{3, 2, 5}}, {{5}}, {{5}}},
       {{101, 5, 131}, {131}, {131}},
       [](const Operands& x) { return layer_norm(x[0], x[1], x[2], 1e-3); },
       [](const std::vector<Numbers>& v) {
         Numbers y;
         for (std::size_t row = 0; row < 6; ++row) {
           const double* x = &v[0][row * 5];
           double mean = 0, variance = 0;
           for (std::size_t i = 0; i < 5; ++i) mean += x[i] / 5;
           for (std::size_t i = 0; i < 5; ++i) variance += (x[i] - mean) * (x[i] - mean) / 5;
           for (std::size_t i = 0; i < 5; ++i)
             y.push_back((x[i] - mean) / std::sqrt(variance + 1e-3) * v[1][i] + v[2][i]);
         }
         return y;
       },
       {{"layer_norm: x [2, 3] needs gain and bias of its last axis' size; got gain [3] and bias "
         "[2]",
         [] {
           layer_norm(of({2, 3}), of({3}), of({2}));
         }},
        {"layer_norm: dtypes differ: x is f32, gain f64, bias f64", [] {
           layer_norm(of({2, 3}), of({3}, DType::f64), of({3}, DType::f64));
         }}}});
  cases.push_back({"rms_norm",
                   {{{3, 2, 5}}, {{5}}},
                   {{101, 5, 131}, {131}},
                   [](const Operands& x) { return rms_norm(x[0], x[1], 1e-3); },
                   [](const std::vector<Numbers>& v) {
                     Numbers y;
                     for (std::size_t row = 0; row < 6; ++row) {
                       double mean = 1e-3;
                       for (std::size_t i = 0; i < 5; ++i)
                         mean += std::pow(v[0][row * 5 + i], 2) / 5;
                       for (std::size_t i = 0; i < 5; ++i)
                         y.push_back(v[0][row * 5 + i] / std::sqrt(mean) * v[1][i]);
                     }
                     return y;
                   },
                   {{"rms_norm: x [2, 3] needs a gain of its last axis' size; got [2]",
                     [] {
                       rms_norm(of({2, 3}), of({2}));
                     }},
                    {"rms_norm: x is f32, gain f64; convert one", [] {
                       rms_norm(of({2, 3}), of({3}, DType::f64));
                     }}}});
  cases.push_back({"l2_normalize",
                   {{{3, 2, 5}}},
                   {{101, 5, 131}},
                   [](const Operands& x) { return l2_normalize(x[0], 1e-3); },
                   [](const std::vector<Numbers>& v) {
                     Numbers y;
                     for (std::size_t row = 0; row < 6; ++row) {
                       double square = 1e-3;
                       for (std::size_t i = 0; i < 5; ++i) square += std::pow(v[0][row * 5 + i], 2);
                       for (std::size_t i = 0; i < 5; ++i)
                         y.push_back(v[0][row * 5 + i] / std::sqrt(square));
                     }
                     return y;
                   },
                   {{"l2_normalize: x is a scalar; it needs an axis to normalise",
                     [] { l2_normalize(of({})); }}}});
  cases.push_back(
      {"dropout",
       {{{7, 11}}},
       {{301, 211}},
       [](const Operands& x) {
         seed(5);
         return dropout(x[0], 0.3);
       },
       {},  // its mask differs between dtypes: see op_test.cpp
       {{"dropout: p is 1; it must be a probability in [0, 1)", [] { dropout(of({3}), 1); }}}});
  return cases;
}
