#include "attune/autograd/kernels/l2_normalize.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {

template <typename T>
void l2_normalize_forward(const L2NormalizeSizes& n, const T* x, double eps, T* scales, T* y) {
  parallel_for(n.rows, row_grain(n.n), [&, n = n.n](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T* from = x + row * n;
      const auto square = [from](std::int64_t i) { return Wide<T>(from[i]) * Wide<T>(from[i]); };
      scales[row] = static_cast<T>(1 / std::sqrt(lane_sum<Wide<T>>(n, square) + Wide<T>(eps)));
      axpy(n, scales[row], from, y + row * n, /*accumulate=*/false);
    }
  });
}

template <typename T>
void l2_normalize_backward(const L2NormalizeSizes& n, const T* y, const T* scales, const T* dy,
                           T* dx, bool accumulate) {
  parallel_for(n.rows, row_grain(n.n), [&, n = n.n](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) {
      const T *of_y = y + row * n, *d = dy + row * n;
      T* to = dx + row * n;
      if (std::all_of(d, d + n, [](T v) { return v == 0; })) {
        if (!accumulate) std::fill_n(to, n, T{0});
        continue;
      }
      const T along = dot(of_y, d, n), scale = scales[row];
      axpy(n, scale, d, to, accumulate);
      axpy(n, -scale * along, of_y, to);
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                                    \
  template void l2_normalize_forward(const L2NormalizeSizes&, const T*, double, T*, T*);         \
  template void l2_normalize_backward(const L2NormalizeSizes&, const T*, const T*, const T*, T*, \
                                      bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
