#include "attune/autograd/ops/convolution.h"

#include <algorithm>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

using namespace kernels;

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

Windows windows_of(const char* op, const Tensor& x, std::int64_t width,
                   const ConvolutionOptions& options) {
  ATTUNE_CHECK(x.rank() == 3, "{}: x {}; expected [T, B, C]", op, x.shape());
  const auto [left, right, stride] = options;
  ATTUNE_CHECK(width >= 1 && left >= 0 && right >= 0 && stride >= 1,
               "{}: width {}, padding {} and {}, stride {}; width and stride must be at least "
               "1, padding at least 0",
               op, width, left, right, stride);
  const std::int64_t length = x.size(0), padded = length + left + right;
  ATTUNE_CHECK(padded >= width, "{}: {} steps with padding are fewer than a window of {}", op,
               padded, width);
  return {(padded - width) / stride + 1, x.size(1) * x.size(2), width, length, left, stride};
}

// Calls body(y, x, w) for each step, batch row and k within the sequence, with the first channels
// of y, x and of row k of a weight [width, C]; in order of time for each row.
template <typename Body>
void for_each_tap(const Windows& windows, std::int64_t channels, const Body& body) {
  const std::int64_t batch = windows.rows / std::max<std::int64_t>(1, channels);
  const std::int64_t cost = windows.steps * windows.width * channels;
  parallel_for(batch, row_grain(cost), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t t = 0; t < windows.steps; ++t) {
      const std::int64_t start = t * windows.stride - windows.left;
      const std::int64_t begin = std::max<std::int64_t>(0, -start);
      const std::int64_t end = std::min(windows.width, windows.length - start);
      for (std::int64_t b = first; b < last; ++b)
        for (std::int64_t k = begin; k < end; ++k)
          body((t * batch + b) * channels, ((start + k) * batch + b) * channels, k * channels);
    }
  });
}

// The gradient of the weight [C, width]: dy . x over all steps and batch rows.
Array weight_gradient(const Windows& windows, const Array& dy, const Array& x) {
  const std::int64_t batch = x.shape()[1], channels = x.shape()[2], width = windows.width;
  Array sums = Array::zeros({width, channels}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *d = dy.data<T>(), *from = x.data<T>();
    for (std::int64_t k = 0; k < width; ++k) {
      const std::int64_t shift = k - windows.left, stride = windows.stride;
      const std::int64_t first = shift >= 0 ? 0 : (stride - 1 - shift) / stride;
      const std::int64_t room = windows.length - 1 - shift;
      const std::int64_t last = room < 0 ? 0 : std::min(windows.steps, room / stride + 1);
      if (first >= last) continue;
      sum_rows<T>(
          AxisLayout(1, (last - first) * batch, channels),
          [=](std::int64_t, std::int64_t i, std::int64_t c) {
            const std::int64_t t = first + i / batch, b = i % batch;
            return d[(t * batch + b) * channels + c] *
                   from[((t * stride + shift) * batch + b) * channels + c];
          },
          sums.mutable_data<T>() + k * channels, /*accumulate=*/false);
    }
  });
  return transpose(sums).value();
}

}  // namespace

Tensor unfold(const Tensor& x, std::int64_t width, const ConvolutionOptions& options) {
  const Windows windows = windows_of("unfold", x, width, options);
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

Tensor depthwise_conv1d(const Tensor& x, const Tensor& weight, const Tensor& bias,
                        const ConvolutionOptions& options) {
  ATTUNE_CHECK(x.rank() == 3 && weight.rank() == 2 && weight.size(0) == x.size(2) &&
                   x.dtype() == weight.dtype(),
               "depthwise_conv1d: x {} {} and weight {} {} do not fit; expected [T, B, C] and "
               "[C, width]",
               name_of(x.dtype()), x.shape(), name_of(weight.dtype()), weight.shape());
  const Windows windows = windows_of("depthwise_conv1d", x, weight.size(1), options);
  const std::int64_t channels = x.size(2);
  const Array by_step = transpose(weight.value()).value();  // [width, C]
  Array y = Array::zeros({windows.steps, x.size(1), channels}, x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *from = x.value().data<T>(), *w = by_step.data<T>();
    T* to = y.mutable_data<T>();
    for_each_tap(windows, channels, [=](std::int64_t of_y, std::int64_t of_x, std::int64_t of_w) {
      for (std::int64_t c = 0; c < channels; ++c) to[of_y + c] += w[of_w + c] * from[of_x + c];
    });
  });
  const Tensor product =
      record("depthwise_conv1d", std::move(y), {x, weight},
             [windows, by_step, channels, x = Saved(x)](Grads& g) {
               const Array dy = g.dy();
               Array dx = Array::zeros(x->shape(), dy.dtype());
               dispatch(dy.dtype(), [&](auto type) {
                 using T = decltype(type);
                 const T *d = dy.data<T>(), *w = by_step.data<T>();
                 T* to = dx.mutable_data<T>();
                 for_each_tap(windows, channels,
                              [=](std::int64_t of_y, std::int64_t of_x, std::int64_t of_w) {
                                for (std::int64_t c = 0; c < channels; ++c)
                                  to[of_x + c] += w[of_w + c] * d[of_y + c];
                              });
               });
               g.add(0, std::move(dx));
               if (g.needs(1)) g.add(1, weight_gradient(windows, dy, *x));
             });
  return bias.defined() ? product + bias : product;
}

}  // namespace attune
