#include "attune/autograd/kernels/layer_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/rows.h"

namespace attune::kernels {
namespace {

// A row whose variance overflows or underflows in T, scaled by a power of two near its largest
// element and computed in double.
struct ScaledRow {
  template <typename T>
  ScaledRow(const T* x, std::int64_t n, T eps) {
    T largest = 0;
    for (std::int64_t i = 0; i < n; ++i) {
      const T magnitude = std::abs(x[i]);
      if (!(magnitude <= largest)) largest = magnitude;  // NaN too
      if (std::isnan(largest)) break;
    }
    exponent = largest > 0 && std::isfinite(largest) ? std::ilogb(largest) : 0;
    first = std::ldexp(static_cast<double>(x[0]), -exponent);
    const double share = 1 / static_cast<double>(n);
    mean = share * lane_sum<double>(n, [&](std::int64_t i) { return from_first(x[i]); });
    const double variance = share * lane_sum<double>(n, [&](std::int64_t i) {
                              return (from_first(x[i]) - mean) * (from_first(x[i]) - mean);
                            });
    scale = 1 / std::sqrt(variance + std::ldexp(static_cast<double>(eps), -2 * exponent));
  }

  template <typename T>
  double from_first(T x) const {
    return std::ldexp(static_cast<double>(x), -exponent) - first;
  }
  // (x - mean) / deviation; 0 where x equals the mean, even if the deviation is 0.
  template <typename T>
  double normalized(T x) const {
    const double centered = from_first(x) - mean;
    return centered == 0 ? centered : centered * scale;
  }

  int exponent;
  double first, mean, scale;
};

template <typename T>
void scaled_forward(const T* x, std::int64_t n, const T* gain, const T* bias, T eps, T* y) {
  const ScaledRow row(x, n, eps);
  for (std::int64_t i = 0; i < n; ++i)
    y[i] = static_cast<T>(row.normalized(x[i]) * static_cast<double>(gain[i]) +
                          static_cast<double>(bias[i]));
}

template <typename T>
void scaled_backward_x(const T* x, std::int64_t n, const T* gain, T eps, const T* dy, T* dx) {
  const ScaledRow row(x, n, eps);
  const auto dz = [&](std::int64_t i) {
    return static_cast<double>(dy[i]) * static_cast<double>(gain[i]);
  };
  const double share = 1 / static_cast<double>(n);
  const double d_mean = share * lane_sum<double>(n, dz);
  const double dz_mean =
      share * lane_sum<double>(n, [&](std::int64_t i) { return dz(i) * row.normalized(x[i]); });
  for (std::int64_t i = 0; i < n; ++i) {
    const double slope = dz(i) - d_mean - row.normalized(x[i]) * dz_mean;
    if (slope != 0) dx[i] += static_cast<T>(std::ldexp(row.scale * slope, -row.exponent));
  }
}

}  // namespace

template <typename T>
void layer_norm_forward(const LayerNormSizes& n, const T* x, const T* gain, const T* bias, T eps,
                        LayerNormRow<T>* rows, T* y) {
  const T share = T{1} / static_cast<T>(n.n);
  parallel_for(n.rows, row_grain(n.n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n.n;
      T* to = y + row * n.n;
      const T start = n.n > 0 ? from[0] : T{0};
      const T mean = share * lane_sum<T>(n.n, [=](std::int64_t i) { return from[i] - start; });
      const T variance = share * lane_sum<T>(n.n, [=](std::int64_t i) {
                           return (from[i] - start - mean) * (from[i] - start - mean);
                         });
      const T scale = 1 / std::sqrt(variance + eps);
      rows[row] = {mean, scale};
      if (!rows[row].plain()) {
        if (n.n > 0) scaled_forward(from, n.n, gain, bias, eps, to);
        continue;
      }
#pragma omp simd
      for (std::int64_t i = 0; i < n.n; ++i)
        to[i] = (from[i] - start - mean) * scale * gain[i] + bias[i];
    }
  });
}

template <typename T>
void layer_norm_backward_x(const LayerNormSizes& n, const T* x, const T* gain, T eps,
                           const LayerNormRow<T>* rows, const T* dy, T* dx, bool accumulate) {
  const T share = T{1} / static_cast<T>(n.n);
  parallel_for(n.rows, row_grain(n.n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n.n;
      const T* d = dy + row * n.n;
      T* to = dx + row * n.n;
      if (!accumulate) std::fill_n(to, n.n, T{0});
      if (n.n == 0) continue;
      if (!rows[row].plain()) {
        scaled_backward_x(from, n.n, gain, eps, d, to);
        continue;
      }
      const T start = from[0], mean = rows[row].mean, scale = rows[row].scale;
      const T d_mean = share * lane_sum<T>(n.n, [=](std::int64_t i) { return d[i] * gain[i]; });
      const T dz_mean = share * lane_sum<T>(n.n, [=](std::int64_t i) {
                          return d[i] * gain[i] * ((from[i] - start - mean) * scale);
                        });
#pragma omp simd
      for (std::int64_t i = 0; i < n.n; ++i)
        to[i] += scale * (d[i] * gain[i] - d_mean - (from[i] - start - mean) * scale * dz_mean);
    }
  });
}

template <typename T>
void layer_norm_backward_gain(const LayerNormSizes& n, const T* x, T eps,
                              const LayerNormRow<T>* rows, const T* dy, T* dgain, bool accumulate) {
  const AxisLayout layout(1, n.rows, n.n);
  if (std::all_of(rows, rows + n.rows, [](const LayerNormRow<T>& row) { return row.plain(); }))
    return sum_rows<T>(
        layout,
        [=, width = n.n](std::int64_t, std::int64_t row, std::int64_t j) {
          const std::int64_t i = row * width + j;
          return dy[i] * ((x[i] - x[row * width] - rows[row].mean) * rows[row].scale);
        },
        dgain, accumulate);
  if (n.n == 0) return;
  std::vector<ScaledRow> scaled;
  for (std::int64_t row = 0; row < n.rows; ++row) scaled.emplace_back(x + row * n.n, n.n, eps);
  sum_rows<T>(
      layout,
      [&, width = n.n](std::int64_t, std::int64_t row, std::int64_t j) {
        const std::int64_t i = row * width + j;
        return static_cast<T>(static_cast<double>(dy[i]) *
                              scaled[static_cast<std::size_t>(row)].normalized(x[i]));
      },
      dgain, accumulate);
}

#define ATTUNE_INSTANTIATE(T)                                                              \
  template void layer_norm_forward(const LayerNormSizes&, const T*, const T*, const T*, T, \
                                   LayerNormRow<T>*, T*);                                  \
  template void layer_norm_backward_x(const LayerNormSizes&, const T*, const T*, T,        \
                                      const LayerNormRow<T>*, const T*, T*, bool);         \
  template void layer_norm_backward_gain(const LayerNormSizes&, const T*, T,               \
                                         const LayerNormRow<T>*, const T*, T*, bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
