#include "attune/autograd/kernels/reduce.h"

#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/vector.h"

namespace attune {
namespace {

template <typename T>
T row_sum(const T* x, std::int64_t n) {
  return lane_sum<T>(n, [=](std::int64_t i) { return x[i]; });
}

}  // namespace

template <typename T>
void sum_axis(const T* x, const AxisLayout& layout, T* out, bool accumulate) {
  const auto [outer, n, inner] = layout;
  if (inner == 1) {
    parallel_for(outer, row_grain(n), [&, n = n](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const T total = row_sum(x + row * n, n);
        out[row] = accumulate ? out[row] + total : total;
      }
    });
    return;
  }
  // Columns are split into blocks, so that there is work for several threads even when outer is 1.
  constexpr std::int64_t kBlock = 64;
  const std::int64_t blocks = (inner + kBlock - 1) / kBlock;
  const std::int64_t grain = row_grain(n * std::min(inner, kBlock));
  parallel_for(outer * blocks, grain,
               [&, n = n, inner = inner](std::int64_t first, std::int64_t last) {
                 for (std::int64_t item = first; item < last; ++item) {
                   const std::int64_t row = item / blocks, begin = item % blocks * kBlock;
                   const std::int64_t width = std::min(kBlock, inner - begin);
                   const T* from = x + row * n * inner + begin;
                   T* to = out + row * inner + begin;
                   T total[kBlock] = {};
                   for (std::int64_t i = 0; i < n; ++i)
                     for (std::int64_t j = 0; j < width; ++j) total[j] += from[i * inner + j];
                   for (std::int64_t j = 0; j < width; ++j)
                     to[j] = accumulate ? to[j] + total[j] : total[j];
                 }
               });
}
template void sum_axis(const float*, const AxisLayout&, float*, bool);
template void sum_axis(const double*, const AxisLayout&, double*, bool);

Array sum_all(const Array& x) {
  Array result(Shape{}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const std::int64_t n = x.elements();
    const T* data = x.data<T>();
    const std::int64_t ranges = (n + kElementGrain - 1) / kElementGrain;
    if (ranges <= 1) {
      *result.mutable_data<T>() = row_sum(data, n);
      return;
    }
    Array partial(Shape{ranges}, x.dtype());
    T* parts = partial.mutable_data<T>();
    parallel_for(n, kElementGrain, [&](std::int64_t first, std::int64_t last) {
      parts[first / kElementGrain] = row_sum(data + first, last - first);
    });
    *result.mutable_data<T>() = row_sum(static_cast<const T*>(parts), ranges);
  });
  return result;
}

Array sum_to(const Array& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (shape.elements() == 1) return sum_all(x).reshape(shape);
  // From the first axis on: what lies before is already reduced.
  const int missing = x.shape().rank() - shape.rank();
  ATTUNE_CHECK(missing >= 0 && broadcast(x.shape(), shape, "sum_to") == x.shape(),
               "gradient: a gradient of shape {} does not fit an input of shape {}", x.shape(),
               shape);
  const auto stretched = [&](int axis) {
    return x.shape()[axis] != 1 && (axis < missing || shape[axis - missing] == 1);
  };
  Array result = x;
  std::int64_t outer = 1;
  for (int axis = 0; axis < x.shape().rank();) {
    std::int64_t n = x.shape()[axis];
    if (!stretched(axis)) {
      outer *= n;
      ++axis;
      continue;
    }
    for (++axis; axis < x.shape().rank() && stretched(axis); ++axis) n *= x.shape()[axis];
    const std::int64_t inner = x.shape().elements(axis, x.shape().rank());
    Array reduced(Shape{outer, inner}, x.dtype());
    dispatch(x.dtype(), [&](auto type) {
      using T = decltype(type);
      sum_axis(result.data<T>(), AxisLayout(outer, n, inner), reduced.mutable_data<T>());
    });
    result = reduced;
  }
  return result.reshape(shape);
}

}  // namespace attune
