#include "attune/autograd/kernels/layer_norm.h"

#include <cmath>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/rows.h"

namespace attune {

template <typename T>
void layer_norm_forward(const LayerNormSizes& n, const T* x, const T* gain, const T* bias, T eps,
                        LayerNormRow<T>* rows, T* y) {
  const T share = T{1} / static_cast<T>(n.n);
  parallel_for(n.rows, row_grain(n.n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n.n;
      T* to = y + row * n.n;
      const T mean = share * lane_sum<T>(n.n, [&](std::int64_t i) { return from[i]; });
      const T variance = share * lane_sum<T>(n.n, [&](std::int64_t i) {
                           return (from[i] - mean) * (from[i] - mean);
                         });
      const T scale = 1 / std::sqrt(variance + eps);
      rows[row] = {mean, scale};
#pragma omp simd
      for (std::int64_t i = 0; i < n.n; ++i) to[i] = (from[i] - mean) * scale * gain[i] + bias[i];
    }
  });
}

template <typename T>
void layer_norm_backward_x(const LayerNormSizes& n, const T* x, const T* gain,
                           const LayerNormRow<T>* rows, const T* dy, T* dx, bool accumulate) {
  const T share = T{1} / static_cast<T>(n.n);
  parallel_for(n.rows, row_grain(n.n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n.n;
      const T* d = dy + row * n.n;
      T* to = dx + row * n.n;
      const auto [mean, scale] = rows[row];
      const T d_mean = share * lane_sum<T>(n.n, [&](std::int64_t i) { return d[i] * gain[i]; });
      const T dz_mean = share * lane_sum<T>(n.n, [&, mean = mean, scale = scale](std::int64_t i) {
                          return d[i] * gain[i] * ((from[i] - mean) * scale);
                        });
      if (!accumulate) std::fill_n(to, n.n, T{0});
#pragma omp simd
      for (std::int64_t i = 0; i < n.n; ++i)
        to[i] += scale * (d[i] * gain[i] - d_mean - (from[i] - mean) * scale * dz_mean);
    }
  });
}

template <typename T>
void layer_norm_backward_gain(const LayerNormSizes& n, const T* x, const LayerNormRow<T>* rows,
                              const T* dy, T* dgain, bool accumulate) {
  constexpr std::int64_t kBlock = 64;
  const std::int64_t blocks = (n.n + kBlock - 1) / kBlock;
  parallel_for(blocks, row_grain(n.rows * kBlock), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t block = first; block < last; ++block) {
      const std::int64_t begin = block * kBlock, width = std::min(kBlock, n.n - begin);
      T total[kBlock] = {};
      for (std::int64_t row = 0; row < n.rows; ++row) {
        const T* from = x + row * n.n + begin;
        const T* d = dy + row * n.n + begin;
        const auto [mean, scale] = rows[row];
        for (std::int64_t j = 0; j < width; ++j) total[j] += d[j] * ((from[j] - mean) * scale);
      }
      T* to = dgain + begin;
      for (std::int64_t j = 0; j < width; ++j) to[j] = accumulate ? to[j] + total[j] : total[j];
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                                     \
  template void layer_norm_forward(const LayerNormSizes&, const T*, const T*, const T*, T,        \
                                   LayerNormRow<T>*, T*);                                         \
  template void layer_norm_backward_x(const LayerNormSizes&, const T*, const T*,                  \
                                      const LayerNormRow<T>*, const T*, T*, bool);                \
  template void layer_norm_backward_gain(const LayerNormSizes&, const T*, const LayerNormRow<T>*, \
                                         const T*, T*, bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune
