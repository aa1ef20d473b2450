#include "attune/autograd/ops/sorting.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/vector.h"
#include "attune/autograd/ops/indexing.h"

namespace attune {

using namespace kernels;

namespace {

// Positions of the first k elements in sorted order along axis n of a layout [outer, n, inner].
template <typename T, typename Before>
void sort_positions(const T* x, const AxisLayout& layout, std::int64_t k, const Before& before,
                    std::int32_t* positions) {
  const std::int64_t n = layout.n, inner = layout.inner;
  parallel_for(layout.outer * inner, row_grain(16 * n), [&](auto first, auto last) {
    std::vector<std::int32_t> order(static_cast<std::size_t>(n));
    for (std::int64_t line = first; line < last; ++line) {
      const std::int64_t row = line / inner, column = line % inner;
      const T* values = x + row * n * inner + column;
      std::iota(order.begin(), order.end(), 0);
      // Ties are broken by position, which makes the order unique: partial_sort is not stable.
      std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](auto a, auto b) {
        const T u = values[a * inner], v = values[b * inner];
        return before(u, v) || (!before(v, u) && a < b);
      });
      for (std::int64_t i = 0; i < k; ++i)
        positions[(row * k + i) * inner + column] = order[static_cast<std::size_t>(i)];
    }
  });
}

// NaN is larger than every number.
constexpr auto kBefore = [](auto a, auto b) { return a < b || (b != b && a == a); };

Sorted first_in_order(const char* name, const Tensor& x, std::int64_t k, int axis,
                      bool descending) {
  axis = x.shape().axis(axis, name);
  const AxisLayout layout(x.shape(), axis);
  ATTUNE_CHECK(std::in_range<std::int32_t>(layout.n),
               "{}: an axis of {} elements is too long for positions of 32 bits", name, layout.n);
  ATTUNE_CHECK(k >= 0 && k <= layout.n, "{}: k is {}, but axis {} of {} has {} elements", name, k,
               axis, x.shape(), layout.n);
  Shape shape = x.shape();
  shape[axis] = k;
  std::vector<std::int32_t> positions(static_cast<std::size_t>(shape.elements()));
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* values = x.value().data<T>();
    if (descending)
      sort_positions(
          values, layout, k, [](T a, T b) { return kBefore(b, a); }, positions.data());
    else
      sort_positions(values, layout, k, kBefore, positions.data());
  });
  Indices indices(positions, shape);
  Tensor values = take_along_axis(x, indices, axis);
  return {std::move(values), std::move(indices)};
}

// Running sums along the axis of a layout, from its last element to the first if `backwards`.
Array running_sums(const Array& x, const AxisLayout& layout, bool backwards) {
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const std::int64_t n = layout.n, inner = layout.inner;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(layout.outer, row_grain(n * inner), [&](std::int64_t first, std::int64_t last) {
      std::vector<Wide<T>> totals(static_cast<std::size_t>(inner));
      for (std::int64_t row = first; row < last; ++row) {
        std::fill(totals.begin(), totals.end(), Wide<T>{0});
        for (std::int64_t i = 0; i < n; ++i) {
          const std::int64_t at = (row * n + (backwards ? n - 1 - i : i)) * inner;
          for (std::int64_t j = 0; j < inner; ++j)
            to[at + j] = static_cast<T>(totals[static_cast<std::size_t>(j)] += from[at + j]);
        }
      }
    });
  });
  return y;
}

// Calls body(first element of a line, distance of its elements) for each line along the axis.
template <typename Body>
void for_each_line(const AxisLayout& layout, const Body& body) {
  const std::int64_t n = layout.n, inner = layout.inner;
  parallel_for(layout.outer * inner, row_grain(4 * n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t line = first; line < last; ++line)
      body(line / inner * n * inner + line % inner, inner);
  });
}

// The sum is e^largest total, where `total` is at least 1 unless all elements are -infinity.
template <typename T>
void log_sums(const T* x, std::int64_t n, std::int64_t step, T* y) {
  T largest = -std::numeric_limits<T>::infinity();
  Wide<T> total = 0;
  for (std::int64_t i = 0; i < n; ++i) {
    const T v = x[i * step];
    if (v > largest) {
      total = total * math::exp(largest - v) + 1;
      largest = v;
    } else if (v == v && v > -std::numeric_limits<T>::infinity()) {
      total += v == largest ? T{1} : math::exp(v - largest);
    } else if (v != v) {
      largest = v;
    }
    y[i * step] = total == 0 ? largest : static_cast<T>(largest + std::log(total));
  }
}

// dx_i = e^{x_i - y_i} r_i, where r_i = sum_{j >= i} e^{y_i - y_j} dy_j.
template <typename T>
void log_sums_backward(const T* x, const T* y, const T* dy, std::int64_t n, std::int64_t step,
                       T* dx) {
  const T lowest = -std::numeric_limits<T>::infinity();
  T later = 0, y_later = n > 0 ? y[(n - 1) * step] : T{0};
  for (std::int64_t at = (n - 1) * step; at >= 0; at -= step) {
    later = dy[at] + (y[at] == lowest ? T{0} : math::exp(y[at] - y_later) * later);
    y_later = y[at];
    dx[at] = x[at] == lowest ? T{0} : math::exp(x[at] - y[at]) * later;
  }
}

}  // namespace

Sorted sort(const Tensor& x, int axis, bool descending) {
  return first_in_order("sort", x, x.shape()[x.shape().axis(axis, "sort")], axis, descending);
}

Sorted topk(const Tensor& x, std::int64_t k, int axis, bool largest) {
  return first_in_order("topk", x, k, axis, largest);
}

Tensor cumsum(const Tensor& x, int axis) {
  const AxisLayout layout(x.shape(), x.shape().axis(axis, "cumsum"));
  // dx_i = dy_i + ... + dy_n.
  return record("cumsum", running_sums(x.value(), layout, false), {x},
                [layout](Grads& g) { g.add(0, running_sums(g.dy(), layout, true)); });
}

Tensor logcumsumexp(const Tensor& x, int axis) {
  const AxisLayout layout(x.shape(), x.shape().axis(axis, "logcumsumexp"));
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    T* to = y.mutable_data<T>();
    for_each_line(layout, [&](std::int64_t first, std::int64_t step) {
      log_sums(from + first, layout.n, step, to + first);
    });
  });
  return record("logcumsumexp", y, {x}, [layout, x = Saved(x), y = Saved(y)](Grads& g) {
    const Array dy = g.dy();
    Array dx(dy.shape(), dy.dtype());
    dispatch(dy.dtype(), [&](auto type) {
      using T = decltype(type);
      const T *of_x = x->data<T>(), *of_y = y->data<T>(), *d = dy.data<T>();
      T* to = dx.mutable_data<T>();
      for_each_line(layout, [&](std::int64_t first, std::int64_t step) {
        log_sums_backward(of_x + first, of_y + first, d + first, layout.n, step, to + first);
      });
    });
    g.add(0, std::move(dx));
  });
}

}  // namespace attune
