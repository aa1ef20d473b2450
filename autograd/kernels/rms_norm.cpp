#include "attune/autograd/kernels/rms_norm.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {

template <typename T>
void rms_norm_forward(const RmsNormSizes& n, const T* x, const T* gain, double eps, T* scales,
                      T* y) {
  parallel_for(n.rows, row_grain(n.n), [&, n = n.n](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n;
      T* to = y + row * n;
      const auto square = [from](std::int64_t i) { return Wide<T>(from[i]) * Wide<T>(from[i]); };
      const Wide<T> mean = lane_sum<Wide<T>>(n, square) / static_cast<Wide<T>>(n);
      const T scale = scales[row] = static_cast<T>(1 / std::sqrt(mean + Wide<T>(eps)));
#pragma omp simd
      for (std::int64_t i = 0; i < n; ++i) to[i] = from[i] * scale * gain[i];
    }
  });
}

template <typename T>
void rms_norm_backward_x(const RmsNormSizes& n, const T* x, const T* gain, const T* scales,
                         const T* dy, T* dx, bool accumulate) {
  parallel_for(n.rows, row_grain(n.n), [&, n = n.n](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T *from = x + row * n, *d = dy + row * n;
      T* to = dx + row * n;
      const T scale = scales[row];
      if (!accumulate) std::fill_n(to, n, T{0});
      const T along =
          lane_sum<T>(n, [=](std::int64_t i) { return d[i] * gain[i] * (from[i] * scale); }) /
          static_cast<T>(n);
#pragma omp simd
      for (std::int64_t i = 0; i < n; ++i)
        to[i] += scale * (d[i] * gain[i] - from[i] * scale * along);
    }
  });
}

template <typename T>
void rms_norm_backward_gain(const RmsNormSizes& n, const T* x, const T* scales, const T* dy,
                            T* dgain, bool accumulate) {
  sum_rows<T>(
      AxisLayout(1, n.rows, n.n),
      [=, width = n.n](std::int64_t, std::int64_t row, std::int64_t j) {
        return dy[row * width + j] * (x[row * width + j] * scales[row]);
      },
      dgain, accumulate);
}

#define ATTUNE_INSTANTIATE(T)                                                                    \
  template void rms_norm_forward(const RmsNormSizes&, const T*, const T*, double, T*, T*);       \
  template void rms_norm_backward_x(const RmsNormSizes&, const T*, const T*, const T*, const T*, \
                                    T*, bool);                                                   \
  template void rms_norm_backward_gain(const RmsNormSizes&, const T*, const T*, const T*, T*, bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
