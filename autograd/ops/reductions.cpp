#include "attune/autograd/ops/reductions.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/kernels/elementwise.h"
#include "attune/autograd/kernels/extreme.h"
#include "attune/autograd/kernels/moves.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/rows.h"
#include "attune/autograd/ops/arithmetic.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

using namespace kernels;

namespace {

constexpr auto kLarger = [](auto a, auto b) { return a > b; };
constexpr auto kSmaller = [](auto a, auto b) { return a < b; };

void check_not_empty(const char* op, const Tensor& x, std::int64_t size) {
  ATTUNE_CHECK(size > 0, "{}: nothing to reduce in shape {}; the axis must not be empty", op,
               x.shape());
}

Array scaled(const Array& x, double factor) {
  return map(x, [factor](auto v) { return v * static_cast<decltype(v)>(factor); });
}

// factor * sum over one axis, for sum() and mean(). `axis` must be in [0, rank).
Tensor scaled_sum(const char* name, const Tensor& x, int axis, bool keep, double factor) {
  const Shape kept = x.shape().without(axis, true);
  Array y(x.shape().without(axis, keep), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    sum_axis<T>(x.value().data<T>(), AxisLayout(x.shape(), axis), y.mutable_data<T>(),
                /*accumulate=*/false, factor);
  });
  return record(name, std::move(y), {x}, [kept, factor, shape = x.shape()](Grads& g) {
    const Array dy = factor == 1 ? g.dy() : scaled(g.dy(), factor);
    g.add(0, stretch(dy.reshape(kept), shape));
  });
}

Tensor scaled_sum(const char* name, const Tensor& x, double factor) {
  return record(name, sum_all(x.value(), factor), {x}, [factor, shape = x.shape()](Grads& g) {
    g.add(0, stretch(factor == 1 ? g.dy() : scaled(g.dy(), factor), shape));
  });
}

// Values and positions, both of shape `shape`, of the extreme elements along the axis of `layout`.
template <typename Beats>
std::pair<Array, Indices> extremes(const Array& x, const AxisLayout& layout, const Shape& shape,
                                   const Beats& beats) {
  ATTUNE_CHECK(std::in_range<std::int32_t>(layout.n),
               "argmax: an axis of {} elements is too long for positions of 32 bits", layout.n);
  Array values(shape, x.dtype());
  std::vector<std::int32_t> positions(static_cast<std::size_t>(values.elements()));
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    extreme_axis<T>(x.data<T>(), layout, beats, values.mutable_data<T>(), positions.data());
  });
  return {std::move(values), Indices(positions, shape)};
}

template <typename Beats>
Tensor extreme(const char* name, const Tensor& x, const AxisLayout& layout, const Shape& shape,
               const Beats& beats) {
  check_not_empty(name, x, layout.n);
  auto [values, positions] = extremes(x.value(), layout, shape, beats);
  return record(name, std::move(values), {x}, [layout, positions = positions](Grads& g) {
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    dispatch(dx.buffer.dtype(), [&](auto type) {
      using T = decltype(type);
      const Array dy = g.dy();
      T* to = dx.buffer.template mutable_data<T>();
      for (std::int64_t i = 0; i < dy.elements(); ++i) {
        const std::int64_t row = i / layout.inner, column = i % layout.inner;
        to[(row * layout.n + positions.at(i)) * layout.inner + column] += dy.data<T>()[i];
      }
    });
  });
}

// x with the axes to reduce merged into its last axis, and the shape of the result.
struct Joined {
  Tensor x;
  Shape shape;
};

Joined join_last(const char* op, const Tensor& x, const std::vector<int>& axes, bool keep) {
  bool reduced[Shape::kMaxRank] = {};
  for (const int axis : axes) {
    bool& seen = reduced[x.shape().axis(axis, op)];
    ATTUNE_CHECK(!seen, "{}: axis {} of {} is named twice; name each once", op, axis, x.shape());
    seen = true;
  }
  std::vector<int> order, last;
  std::int64_t n = 1;
  Shape kept, shape = x.shape();
  for (int axis = 0; axis < x.rank(); ++axis) {
    (reduced[axis] ? last : order).push_back(axis);
    if (reduced[axis])
      n *= x.shape()[axis];
    else
      kept = kept.with(kept.rank(), x.shape()[axis]);
  }
  for (int axis = x.rank() - 1; axis >= 0; --axis)
    if (reduced[axis]) shape = shape.without(axis, keep);
  const bool moves = !std::is_sorted(last.begin(), last.end()) ||
                     (!order.empty() && !last.empty() && last.front() < order.back());
  order.insert(order.end(), last.begin(), last.end());
  const Tensor lined_up = moves ? permute(x, order) : x;
  return {reshape(lined_up, kept.rank() == 0 ? Shape{n} : Shape{kept.elements(), n}), shape};
}

// Reduces several axes by merging them into one.
template <typename Reduce>
Tensor reduce_axes(const char* op, const Tensor& x, const std::vector<int>& axes, bool keep,
                   const Reduce& reduce) {
  if (axes.size() == 1) return reduce(x, axes[0], keep);
  const auto [joined, shape] = join_last(op, x, axes, keep);
  return reshape(reduce(joined, -1, false), shape);
}

template <typename Beats>
Indices extreme_positions(const char* name, const Tensor& x, int axis, const Beats& beats) {
  axis = x.shape().axis(axis, name);
  const AxisLayout layout(x.shape(), axis);
  check_not_empty(name, x, layout.n);
  return extremes(x.value(), layout, x.shape().without(axis, false), beats).second;
}

AxisLayout whole(const Tensor& x) { return AxisLayout(1, x.elements(), 1); }

}  // namespace

Tensor sum(const Tensor& x) { return scaled_sum("sum", x, 1); }

Tensor sum(const Tensor& x, int axis, bool keep) {
  return scaled_sum("sum", x, x.shape().axis(axis, "sum"), keep, 1);
}

Tensor sum(const Tensor& x, const std::vector<int>& axes, bool keep) {
  return reduce_axes("sum", x, axes, keep,
                     [](const Tensor& y, int axis, bool keep) { return sum(y, axis, keep); });
}

Tensor mean(const Tensor& x) {
  check_not_empty("mean", x, x.elements());
  return scaled_sum("mean", x, 1.0 / static_cast<double>(x.elements()));
}

Tensor mean(const Tensor& x, int axis, bool keep) {
  axis = x.shape().axis(axis, "mean");
  check_not_empty("mean", x, x.shape()[axis]);
  return scaled_sum("mean", x, axis, keep, 1.0 / static_cast<double>(x.shape()[axis]));
}

Tensor mean(const Tensor& x, const std::vector<int>& axes, bool keep) {
  return reduce_axes("mean", x, axes, keep,
                     [](const Tensor& y, int axis, bool keep) { return mean(y, axis, keep); });
}

Tensor var(const Tensor& x, const std::vector<int>& axes, bool keep, int correction) {
  const auto [joined, shape] = join_last("var", x, axes, keep);
  const std::int64_t n = joined.shape().last();
  ATTUNE_CHECK(n > correction,
               "var: {} elements for each result in shape {}, with a correction of "
               "{}; more than the correction are needed",
               n, x.shape(), correction);
  const Tensor distance = joined - mean(joined, -1, true);
  const double factor = 1.0 / static_cast<double>(n - correction);
  return reshape(sum(square(distance), -1) * factor, shape);
}

Tensor max(const Tensor& x) { return extreme("max", x, whole(x), Shape{}, kLarger); }

Tensor max(const Tensor& x, int axis, bool keep) {
  axis = x.shape().axis(axis, "max");
  return extreme("max", x, AxisLayout(x.shape(), axis), x.shape().without(axis, keep), kLarger);
}

Tensor max(const Tensor& x, const std::vector<int>& axes, bool keep) {
  return reduce_axes("max", x, axes, keep,
                     [](const Tensor& y, int axis, bool keep) { return max(y, axis, keep); });
}

Tensor min(const Tensor& x) { return extreme("min", x, whole(x), Shape{}, kSmaller); }

Tensor min(const Tensor& x, int axis, bool keep) {
  axis = x.shape().axis(axis, "min");
  return extreme("min", x, AxisLayout(x.shape(), axis), x.shape().without(axis, keep), kSmaller);
}

Tensor min(const Tensor& x, const std::vector<int>& axes, bool keep) {
  return reduce_axes("min", x, axes, keep,
                     [](const Tensor& y, int axis, bool keep) { return min(y, axis, keep); });
}

Tensor logsumexp(const Tensor& x) { return reshape(logsumexp(reshape(x, {-1}), 0), {}); }

Tensor logsumexp(const Tensor& x, int axis, bool keep) {
  axis = x.shape().axis(axis, "logsumexp");
  const std::int64_t n = x.shape()[axis];
  check_not_empty("logsumexp", x, n);
  if (axis != x.rank() - 1) {
    const Tensor y = logsumexp(transpose(x, axis, -1), -1, true);
    return keep ? transpose(y, axis, -1)
                : reshape(transpose(y, axis, -1), x.shape().without(axis, false));
  }
  Array y(x.shape().without(axis, keep), x.dtype());
  const std::int64_t rows = y.elements();
  Array sums(Shape{rows, 2}, x.dtype());  // one LogSumExp per row
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    T* to = y.mutable_data<T>();
    auto* sum = reinterpret_cast<LogSumExp<T>*>(sums.mutable_raw());
    parallel_for(rows, row_grain(n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        sum[row] = row_logsumexp(from + row * n, n);
        to[row] = sum[row].value();
      }
    });
  });
  return record("logsumexp", y, {x}, [rows, n, sums, x = Saved(x)](Grads& g) {
    // dy softmax(x), which is 0 for a row of only -infinity.
    const Array dy = g.dy();
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    dispatch(dy.dtype(), [&](auto type) {
      using T = decltype(type);
      const T *from = x->data<T>(), *d = dy.data<T>();
      T* to = dx.buffer.template mutable_data<T>();
      const auto* sum = reinterpret_cast<const LogSumExp<T>*>(sums.raw());
      parallel_for(rows, row_grain(n), [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t row = first; row < last; ++row)
          if (!sum[row].empty())
            row_add_probabilities(from + row * n, sum[row], T{0}, d[row], n, to + row * n);
      });
    });
  });
}

Tensor logsumexp(const Tensor& x, const std::vector<int>& axes, bool keep) {
  return reduce_axes("logsumexp", x, axes, keep,
                     [](const Tensor& y, int axis, bool keep) { return logsumexp(y, axis, keep); });
}

Indices argmax(const Tensor& x, int axis) { return extreme_positions("argmax", x, axis, kLarger); }

Indices argmin(const Tensor& x, int axis) { return extreme_positions("argmin", x, axis, kSmaller); }

}  // namespace attune
