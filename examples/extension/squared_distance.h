#pragma once

#include "attune/extend.h"

namespace extension {

using namespace attune;

/// sum_i (x[i] - y[i])^2. A loop becomes SIMD code for this processor behind ATTUNE_LOOP.
template <typename T>
ATTUNE_LOOP T distance_of_rows(std::int64_t n, const T* x, const T* y) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t i = 0; i < n; ++i) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

/// |x - y|^2 over the last axis: x [S, B, K], y [B, K] -> [S, B]
inline Tensor squared_distance(const Tensor& x, const Tensor& y) {
  ATTUNE_CHECK(x.rank() == 3 && y.shape() == x[0].shape(),
               "squared_distance: x {} and y {}; expected [S, B, K] and [B, K]", x.shape(),
               y.shape());
  const std::int64_t rows = x.size(0) * x.size(1), batch = x.size(1), n = x.size(2);
  Array distances({x.size(0), batch}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *from = x.value().data<T>(), *to = y.value().data<T>();
    T* out = distances.mutable_data<T>();
    parallel_for(rows, row_grain(n), [=](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row)
        out[row] = distance_of_rows(n, from + row * n, to + row % batch * n);
    });
  });
  return record("squared_distance", distances, {x, y}, [x = Saved(x), y = Saved(y)](Grads& g) {
    const Array dx = map("squared_distance", unsqueeze(g.dy(), -1).value(), *x, *y,
                         [](auto d, auto v, auto u) { return 2 * d * (v - u); });
    g.add(0, dx);
    g.add(1, (-Tensor(dx)).value());  // summed over the S rows for which y was repeated
  });
}

}  // namespace extension
