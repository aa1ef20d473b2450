#include "attune/autograd/ops/entmax.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <span>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/ops/indexing.h"

namespace attune {
namespace {

// The threshold tau of z = (alpha - 1) x in descending order, for alpha = 2: tau = (z_1 + ... + z_k
// - 1) / k for the largest k whose z_k is above it.
double sparsemax_threshold(std::span<const double> sorted) {
  double sum = 0, tau = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double larger = (sum += sorted[i], (sum - 1) / static_cast<double>(i + 1));
    if (sorted[i] <= larger) break;
    tau = larger;
  }
  return tau;
}

// The same for alpha = 1.5, where p_i = (z_i - tau)^2: with the mean and the sum of squared
// deviations of the k largest, tau = mean - sqrt((1 - squares) / k).
double entmax15_threshold(std::span<const double> sorted) {
  double mean = 0, squares = 0, tau = 0;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    const double count = static_cast<double>(i + 1), step = sorted[i] - mean;
    mean += step / count;
    squares += step * (sorted[i] - mean);
    const double candidate = mean - std::sqrt(std::max(0.0, (1 - squares) / count));
    if (candidate > sorted[i]) break;
    tau = candidate;
  }
  return tau;
}

// The same for any alpha, by bisection: the sum of p falls as tau rises, and tau lies between the
// values for which the largest element alone, and N elements as large as it, have the sum 1.
double bisected_threshold(std::span<const double> z, double largest, double alpha) {
  const auto count = static_cast<double>(z.size());
  double low = largest - 1, high = largest - std::pow(count, 1 - alpha);
  for (int i = 0; i < 60; ++i) {
    const double tau = (low + high) / 2;
    double sum = 0;
    for (const double value : z)
      if (value > tau) sum += std::pow(value - tau, 1 / (alpha - 1));
    (sum < 1 ? high : low) = tau;
  }
  return low;
}

template <typename T>
void entmax_row(const T* x, std::int64_t n, double alpha, std::vector<double>& z, T* y) {
  z.clear();
  double largest = -std::numeric_limits<double>::infinity();
  for (std::int64_t i = 0; i < n; ++i) {
    const double value = (alpha - 1) * static_cast<double>(x[i]);
    if (std::isnan(value) || value == std::numeric_limits<double>::infinity()) {
      std::fill_n(y, n, std::numeric_limits<T>::quiet_NaN());
      return;
    }
    if (std::isinf(value)) continue;
    z.push_back(value);
    largest = std::max(largest, value);
  }
  std::fill_n(y, n, T{0});
  if (z.empty()) return;
  const bool is_sorted = alpha == 2 || alpha == 1.5;
  if (is_sorted) std::sort(z.begin(), z.end(), std::greater<>());
  const double tau = alpha == 2     ? sparsemax_threshold(z)
                     : alpha == 1.5 ? entmax15_threshold(z)
                                    : bisected_threshold(z, largest, alpha);
  double sum = 0;
  const auto weight = [&](T value) {
    const double above = (alpha - 1) * static_cast<double>(value) - tau;
    return above > 0 ? std::pow(above, 1 / (alpha - 1)) : 0.0;
  };
  for (std::int64_t i = 0; i < n; ++i) sum += weight(x[i]);
  for (std::int64_t i = 0; i < n; ++i) y[i] = static_cast<T>(weight(x[i]) / sum);
}

// Gradients of one row: of x, and of alpha, which is returned.
template <typename T>
double entmax_row_backward(const T* y, const T* dy, std::int64_t n, double alpha, T* dx) {
  double slopes = 0, slope_dy = 0, entropy = 0, entropy_dy = 0, y_dy = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    if (y[i] == 0) continue;  // dy may hold anything
    const double p = static_cast<double>(y[i]), d = static_cast<double>(dy[i]);
    const double slope = std::pow(p, 2 - alpha), h = -p * std::log(p);
    slopes += slope, slope_dy += slope * d;
    entropy += h, entropy_dy += h * d, y_dy += p * d;
  }
  const double mean = slopes == 0 ? 0 : slope_dy / slopes;
  for (std::int64_t i = 0; i < n; ++i) {
    if (y[i] == 0) {
      dx[i] = 0;
      continue;
    }
    const double p = static_cast<double>(y[i]);
    dx[i] = static_cast<T>(std::pow(p, 2 - alpha) * (static_cast<double>(dy[i]) - mean));
  }
  const double above = alpha - 1;
  return (y_dy - mean) / (above * above) + (entropy_dy - mean * entropy) / above;
}

// alpha has one element for each row.
Array entmax_forward(const Array& x, const Array& alpha) {
  const std::int64_t n = x.shape().last(), rows = alpha.elements();
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *from = x.data<T>(), *alphas = alpha.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(rows, row_grain(64 * n), [&](std::int64_t first, std::int64_t last) {
      std::vector<double> z;
      for (std::int64_t row = first; row < last; ++row)
        entmax_row(from + row * n, n, static_cast<double>(alphas[row]), z, to + row * n);
    });
  });
  return y;
}

Array entmax_backward(const Array& y, const Array& dy, const Array& alpha, Array& d_alpha) {
  const std::int64_t n = y.shape().last(), rows = alpha.elements();
  Array dx(y.shape(), y.dtype());
  dispatch(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *p = y.data<T>(), *d = dy.data<T>(), *alphas = alpha.data<T>();
    T *to = dx.mutable_data<T>(), *of_alpha = d_alpha.mutable_data<T>();
    parallel_for(rows, row_grain(64 * n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row)
        of_alpha[row] = static_cast<T>(entmax_row_backward(
            p + row * n, d + row * n, n, static_cast<double>(alphas[row]), to + row * n));
    });
  });
  return dx;
}

}  // namespace

Tensor entmax(const Tensor& x, const Tensor& alpha) {
  ATTUNE_CHECK(x.rank() >= 1, "entmax: x {} has no axis to normalise", x.shape());
  const Tensor alphas = expand(alpha, x.shape().without(x.rank() - 1, /*keep=*/true));
  ATTUNE_CHECK(alphas.dtype() == x.dtype(), "entmax: alpha is {}, x {}; convert one",
               name_of(alphas.dtype()), name_of(x.dtype()));
  for (std::int64_t row = 0; row < alphas.elements(); ++row)
    ATTUNE_CHECK(alphas.value().at(row) > 1,
                 "entmax: alpha is {}; it must be above 1, where entmax becomes softmax",
                 alphas.value().at(row));
  Array y = entmax_forward(x.value(), alphas.value());
  return record("entmax", y, {x, alphas}, [y = Saved(y), alphas = Saved(alphas.value())](Grads& g) {
    Array d_alpha(alphas->shape(), alphas->dtype());
    Array dx = entmax_backward(*y, g.dy(), *alphas, d_alpha);
    if (g.needs(0)) g.add(0, std::move(dx));
    if (g.needs(1)) g.add(1, std::move(d_alpha));
  });
}

Tensor entmax(const Tensor& x, double alpha) {
  return entmax(x, Tensor(Array::full({1}, alpha, x.dtype())));
}

Tensor sparsemax(const Tensor& x) { return entmax(x, 2.0); }

}  // namespace attune
