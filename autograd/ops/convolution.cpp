#include "attune/autograd/ops/convolution.h"

#include <algorithm>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {
namespace {

// Windows y [steps, rows, width] of x [length, rows].
struct Windows {
  std::int64_t steps, rows, width, length, left, stride;

  // Calls move(element of x, element of y) for all that lie within the sequence, of some rows.
  template <typename Move>
  void for_each(std::int64_t first_row, std::int64_t last_row, const Move& move) const {
    for (std::int64_t t = 0; t < steps; ++t) {
      const std::int64_t start = t * stride - left;
      const std::int64_t first = std::max<std::int64_t>(0, -start);
      const std::int64_t last = std::min(width, length - start);
      for (std::int64_t row = first_row; row < last_row; ++row)
        for (std::int64_t k = first; k < last; ++k)
          move((start + k) * rows + row, (t * rows + row) * width + k);
    }
  }

  // The same of all rows, which are split among threads: each element of x belongs to one row.
  template <typename Move>
  void for_each(const Move& move) const {
    parallel_for(rows, row_grain(steps * width),
                 [&](std::int64_t first, std::int64_t last) { for_each(first, last, move); });
  }
};

}  // namespace

Tensor unfold(const Tensor& x, std::int64_t width, const ConvolutionOptions& options) {
  ATTUNE_CHECK(x.rank() == 3, "unfold: x {}; expected [T, B, C]", x.shape());
  const auto [left, right, stride] = options;
  ATTUNE_CHECK(width >= 1 && left >= 0 && right >= 0 && stride >= 1,
               "unfold: width {}, padding {} and {}, stride {}; width and stride must be at least "
               "1, padding at least 0",
               width, left, right, stride);
  const std::int64_t length = x.size(0), padded = length + left + right;
  ATTUNE_CHECK(padded >= width, "unfold: {} steps with padding are fewer than a window of {}",
               padded, width);
  const Windows windows{
      (padded - width) / stride + 1, x.size(1) * x.size(2), width, length, left, stride};
  Array y = Array::zeros({windows.steps, x.size(1), x.size(2) * width}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    T* to = y.mutable_data<T>();
    windows.for_each([=](std::int64_t of_x, std::int64_t of_y) { to[of_y] = from[of_x]; });
  });
  return record("unfold", std::move(y), {x}, [windows, shape = x.shape()](Grads& g) {
    const Array dy = g.dy();
    Array dx = Array::zeros(shape, dy.dtype());
    dispatch(dy.dtype(), [&](auto type) {
      using T = decltype(type);
      const T* from = dy.data<T>();
      T* to = dx.mutable_data<T>();
      windows.for_each([=](std::int64_t of_x, std::int64_t of_y) { to[of_x] += from[of_y]; });
    });
    g.add(0, std::move(dx));
  });
}

Tensor conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
              const ConvolutionOptions& options) {
  ATTUNE_CHECK(x.rank() == 3 && weight.rank() == 3 && weight.size(1) == x.size(2),
               "conv1d: x {} and weight {} do not fit; expected [T, B, C] and [O, C, width]",
               x.shape(), weight.shape());
  const std::int64_t width = weight.size(2);
  return linear(unfold(x, width, options),
                reshape(weight, {weight.size(0), weight.size(1) * width}), bias);
}

}  // namespace attune
