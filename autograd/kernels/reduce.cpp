#include "attune/autograd/kernels/reduce.h"

#include <numeric>

namespace attune::kernels {
namespace {

// The sum of a row. If it is short, it is summed in T first, and again in Wide<T> if that
// overflows. Otherwise it is summed in Wide<T>, as a matrix of kWidth columns.
template <typename T>
Wide<T> row_sum(const T* x, std::int64_t n) {
  constexpr std::int64_t kWidth = 16;
  if (n <= 32 * kWidth) {
    const T total = lane_sum<T>(n, [=](std::int64_t i) { return x[i]; });
    if (std::isfinite(total)) return total;
  }
  Wide<T> lanes[kWidth] = {}, total = 0;
  const std::int64_t rows = n / kWidth;
  if (rows > 0) {
    detail::add_rows<T>(
        0, rows, kWidth, [=](std::int64_t i, std::int64_t j) { return x[i * kWidth + j]; }, lanes);
    for (int width = kWidth / 2; width > 0; width /= 2)
      for (int lane = 0; lane < width; ++lane) lanes[lane] += lanes[lane + width];
    total = lanes[0];
  }
  for (std::int64_t i = rows * kWidth; i < n; ++i) total += x[i];
  return total;
}

}  // namespace

template <typename T>
void sum_axis(const T* x, const AxisLayout& layout, T* out, bool accumulate, double factor) {
  const std::int64_t outer = layout.outer, n = layout.n, inner = layout.inner;
  if (inner != 1)
    return sum_rows<T>(
        layout,
        [=](std::int64_t o, std::int64_t i, std::int64_t j) { return x[(o * n + i) * inner + j]; },
        out, accumulate, factor);
  const auto put = [=](std::int64_t row, Wide<T> total) {
    const T sum = static_cast<T>(total * static_cast<Wide<T>>(factor));
    out[row] = accumulate ? out[row] + sum : sum;
  };
  if (n <= kElementGrain) {
    parallel_for(outer, row_grain(n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) put(row, row_sum(x + row * n, n));
    });
    return;
  }
  const std::int64_t parts = (n + kElementGrain - 1) / kElementGrain;
  std::vector<Wide<T>> partial(static_cast<std::size_t>(outer * parts));
  parallel_for(outer * parts, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t begin = item % parts * kElementGrain;
      partial[static_cast<std::size_t>(item)] =
          row_sum(x + item / parts * n + begin, std::min(kElementGrain, n - begin));
    }
  });
  for (std::int64_t row = 0; row < outer; ++row)
    put(row, std::accumulate(partial.begin() + row * parts, partial.begin() + (row + 1) * parts,
                             Wide<T>{0}));
}
template void sum_axis(const float*, const AxisLayout&, float*, bool, double);
template void sum_axis(const double*, const AxisLayout&, double*, bool, double);

Array sum_all(const Array& x, double factor) {
  Array result(Shape{}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    sum_axis(x.data<T>(), AxisLayout(1, x.elements(), 1), result.mutable_data<T>(), false, factor);
  });
  return result;
}

Array sum_to(const Array& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  if (shape.elements() == 1) return sum_all(x).reshape(shape);
  // Reduces the broadcast axes from the first to the last, adjacent ones together.
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

}  // namespace attune::kernels
