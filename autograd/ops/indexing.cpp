#include "attune/autograd/ops/indexing.h"

#include <algorithm>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

using namespace kernels;

namespace {

// `count` elements start, start + step, ... along axis n of a layout [outer, n, inner].
struct Picked {
  AxisLayout layout;
  std::int64_t start, step, count;

  // Calls body(picked, whole) for each run of `inner` elements, with its offset in the selection
  // and in the whole array.
  template <typename Body>
  void for_each_run(const Body& body) const {
    const std::int64_t inner = layout.inner;
    parallel_for(layout.outer, row_grain(count * inner), [&](auto first, auto last) {
      for (std::int64_t row = first; row < last; ++row)
        for (std::int64_t i = 0; i < count; ++i)
          body((row * count + i) * inner, (row * layout.n + start + i * step) * inner);
    });
  }
};

// Flat positions in x of the elements that `index` selects along an axis, in row-major order of
// `index`.
// Errors: as take_along_axis().
std::vector<std::int64_t> flat_positions(const char* name, const Tensor& x, const Indices& index,
                                         int axis) {
  const std::int64_t n = x.shape()[axis];
  Shape expected = index.shape();
  if (expected.rank() == x.rank()) expected[axis] = n;
  ATTUNE_CHECK(expected == x.shape(),
               "{}: index {} does not fit x {}; all axes but axis {} must be equal", name,
               index.shape(), x.shape(), axis);
  const AxisLayout layout(index.shape(), axis);
  std::vector<std::int64_t> flat;
  flat.reserve(static_cast<std::size_t>(index.elements()));
  for (std::int64_t i = 0; i < index.elements(); ++i) {
    const std::int64_t at = index.data()[i];
    ATTUNE_CHECK(at >= -n && at < n,
                 "{}: index {} at position {} is outside axis {} of {}; use {} "
                 "to {}",
                 name, at, i, axis, x.shape(), -n, n - 1);
    const std::int64_t row = i / (layout.n * layout.inner), column = i % layout.inner;
    flat.push_back((row * n + (at < 0 ? at + n : at)) * layout.inner + column);
  }
  return flat;
}

// y[i] = x[flat[i]]
Array take(const Array& x, const std::vector<std::int64_t>& flat, const Shape& shape) {
  Array y(shape, x.dtype());
  dispatch_any(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.data<T>();
    std::transform(flat.begin(), flat.end(), y.mutable_data<T>(),
                   [=](std::int64_t at) { return from[at]; });
  });
  return y;
}

// to[flat[i]] += source[i], in order of i; positions may repeat.
void add_at(Array& to, const std::vector<std::int64_t>& flat, const Array& source) {
  dispatch(to.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = source.data<T>();
    T* sums = to.mutable_data<T>();
    for (std::size_t i = 0; i < flat.size(); ++i) sums[flat[i]] += from[i];
  });
}

}  // namespace

Tensor slice(const Tensor& x, int axis, std::int64_t start, std::int64_t stop, std::int64_t step) {
  ATTUNE_CHECK(step != 0, "slice: the step is 0; use 1 for a range, -1 to go backwards");
  axis = x.shape().axis(axis, "slice");
  const std::int64_t n = x.shape()[axis];
  // Positions are clipped to the axis, or to one past its end in the direction of the step.
  const std::int64_t lowest = step > 0 ? 0 : -1, highest = step > 0 ? n : n - 1;
  const auto on_axis = [&](std::int64_t at) {
    return std::clamp(at < 0 ? std::max(at, -n - 1) + n : at, lowest, highest);
  };
  const std::int64_t first = step < 0 && start == kEnd ? n - 1 : on_axis(start);
  const std::int64_t last = step < 0 && stop == kEnd ? -1 : on_axis(stop);
  const std::int64_t reach = step > 0 ? last - first : first - last;
  // A step longer than the axis selects one element, whatever its size; clamping avoids overflow.
  step = std::clamp(step, -n - 1, n + 1);
  const std::int64_t stride = step > 0 ? step : -step;
  const std::int64_t count = reach > 0 ? (reach - 1) / stride + 1 : 0;
  if (step == 1) return slice(x, axis, first, first + count);

  const Picked picked{AxisLayout(x.shape(), axis), first, step, count};
  Shape shape = x.shape();
  shape[axis] = count;
  Array y(shape, x.dtype());
  dispatch_any(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    T* to = y.mutable_data<T>();
    picked.for_each_run([&](std::int64_t part, std::int64_t whole) {
      std::copy_n(from + whole, picked.layout.inner, to + part);
    });
  });
  return record("slice", std::move(y), {x}, [picked](Grads& g) {
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    dispatch(dx.buffer.dtype(), [&](auto type) {
      using T = decltype(type);
      const Array dy = g.dy();
      const T* from = dy.data<T>();
      T* to = dx.buffer.template mutable_data<T>();
      picked.for_each_run([&](std::int64_t part, std::int64_t whole) {
        for (std::int64_t j = 0; j < picked.layout.inner; ++j) to[whole + j] += from[part + j];
      });
    });
  });
}

Tensor flip(const Tensor& x, int axis) { return slice(x, axis, kEnd, kEnd, -1); }

Tensor squeeze(const Tensor& x, int axis) {
  axis = x.shape().axis(axis, "squeeze");
  ATTUNE_CHECK(x.shape()[axis] == 1,
               "squeeze: axis {} of {} has size {}; only axes of size 1 can be removed", axis,
               x.shape(), x.shape()[axis]);
  return reshape(x, x.shape().without(axis));
}

Tensor squeeze(const Tensor& x) {
  Shape shape = x.shape();
  for (int axis = shape.rank() - 1; axis >= 0; --axis)
    if (shape[axis] == 1) shape = shape.without(axis);
  return reshape(x, shape);
}

Tensor unsqueeze(const Tensor& x, int axis) {
  return reshape(x, x.shape().with(x.shape().with(0, 1).axis(axis, "unsqueeze"), 1));
}

Tensor expand(const Tensor& x, const Shape& shape) {
  Shape full = shape;
  for (int back = 0; back < shape.rank(); ++back) {
    if (shape.last(back) != -1) continue;
    ATTUNE_CHECK(back < x.rank(), "expand: {} to {}: axis {} is new and needs a size", x.shape(),
                 shape, shape.rank() - 1 - back);
    full[shape.rank() - 1 - back] = x.shape().last(back);
  }
  return broadcast_to(x, full);
}

Tensor take_along_axis(const Tensor& x, const Indices& index, int axis) {
  axis = x.shape().axis(axis, "take_along_axis");
  std::vector<std::int64_t> flat = flat_positions("take_along_axis", x, index, axis);
  Array y = take(x.value(), flat, index.shape());
  return record("take_along_axis", std::move(y), {x}, [flat = std::move(flat)](Grads& g) {
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    add_at(dx.buffer, flat, g.dy());
  });
}

Tensor scatter_add(const Tensor& x, int axis, const Indices& index, const Tensor& source) {
  axis = x.shape().axis(axis, "scatter_add");
  ATTUNE_CHECK(source.shape() == index.shape() && source.dtype() == x.dtype(),
               "scatter_add: source {} {} needs the index's shape {} and x's dtype {}",
               name_of(source.dtype()), source.shape(), index.shape(), name_of(x.dtype()));
  std::vector<std::int64_t> flat = flat_positions("scatter_add", x, index, axis);
  Array y = x.value().clone();
  add_at(y, flat, source.value());
  const Shape shape = index.shape();
  return record("scatter_add", std::move(y), {x, source},
                [flat = std::move(flat), shape](Grads& g) {
                  if (g.needs(1)) g.add(1, take(g.dy(), flat, shape));
                  g.add(0, g.dy());
                });
}

}  // namespace attune
