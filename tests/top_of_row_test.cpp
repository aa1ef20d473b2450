#include "attune/autograd/ops/top_of_row.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "attune/autograd/array/random.h"
#include "attune/autograd/ops/reductions.h"
#include "attune/autograd/ops/shaping.h"
#include "catch.h"

using namespace attune;

TEST_CASE("the largest elements of a row are those of a stable sort, whatever their number") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const std::int64_t n : {1, 5, 255, 256, 257, 3000}) {
      // Few different values, so that many are equal.
      Array x({3, n + 2}, dtype);
      Generator random(static_cast<std::uint64_t>(n));
      for (std::int64_t i = 0; i < x.elements(); ++i)
        x.set(i, static_cast<double>(random.below(40)) - 20);
      x.set(n + 2 + n / 2, -std::numeric_limits<double>::infinity());
      for (const std::int64_t k : {0, 1, 5, 8, 64, 65, 4000}) {
        INFO(n << " elements, the " << k << " largest");
        const std::int64_t first = n + 2;
        std::vector<int> expected(static_cast<std::size_t>(n));
        std::iota(expected.begin(), expected.end(), 0);
        std::stable_sort(expected.begin(), expected.end(),
                         [&](int a, int b) { return x.at(first + a) > x.at(first + b); });
        expected.resize(static_cast<std::size_t>(std::min(n, k)));
        const TopOfRow top = top_of_row(Tensor(x), 1, n, k);
        CHECK(top.positions == expected);
        CHECK(top.log_sum == logsumexp(slice(Tensor(x)[1], 0, 0, n), 0).item());
        double sum = 0;
        for (std::int64_t i = 0; i < n; ++i) sum += std::exp(x.at(first + i));
        CHECK(top.log_sum == Approx(std::log(sum)).margin(1e-5));
      }
    }
}

TEST_CASE("the log sum of a row does not overflow, whichever block has its largest elements") {
  for (const bool rising : {true, false}) {
    Array x({1, 1000});
    double sum = 0;  // of exponentials, relative to that of the largest
    for (std::int64_t i = 0; i < 1000; ++i) {
      const auto place = static_cast<double>(rising ? i : 999 - i);
      x.set(i, 500 + place / 8);
      sum += std::exp((place - 999) / 8);
    }
    CHECK(top_of_row(Tensor(x), 0, 1000, 2).log_sum ==
          Approx(500 + 999.0 / 8 + std::log(sum)).epsilon(1e-6));
    CHECK(top_of_row(Tensor(x), 0, 1000, 2).positions ==
          (rising ? std::vector<int>{999, 998} : std::vector<int>{0, 1}));
  }
}

TEST_CASE("the log sum of a row with NaN is NaN, and that of nothing possible -infinity") {
  Array x = Array::full({1, 300}, 0);
  x.set(290, std::nan(""));
  CHECK(std::isnan(top_of_row(Tensor(x), 0, 300, 5).log_sum));
  CHECK(top_of_row(Tensor(x), 0, 290, 5).log_sum == Approx(std::log(290.0)));
  for (const double other : {0.0, std::numeric_limits<double>::infinity()}) {
    Array first = Array::full({1, 300}, 0);  // in a long block, also beside infinity
    first.set(100, std::nan(""));
    first.set(7, other);
    CHECK(std::isnan(top_of_row(Tensor(first), 0, 300, 5).log_sum));
  }
  x.fill(-std::numeric_limits<double>::infinity());
  CHECK(std::isinf(top_of_row(Tensor(x), 0, 300, 5).log_sum));
  CHECK(top_of_row(Tensor(x), 0, 300, 2).positions == std::vector<int>{0, 1});
}
