#include "attune/autograd/ops/shaping.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "attune/autograd/array/growing.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/text.h"
#include "attune/autograd/kernels/moves.h"
#include "attune/autograd/ops/embedding.h"

namespace attune {

using namespace kernels;

namespace {

// Concatenates parts into a tensor of shape `shape`. For each position of the axes before `axis`,
// part i contributes widths[i] contiguous elements.
Tensor join(const char* name, const std::vector<Tensor>& parts, const Shape& shape, int axis) {
  const std::int64_t rows = shape.elements(0, axis);
  const std::int64_t row = shape.elements(axis, shape.rank());
  Array y(shape, parts[0].dtype());
  std::vector<std::int64_t> widths;
  std::int64_t offset = 0;
  for (const Tensor& part : parts) {
    ATTUNE_CHECK(part.dtype() == y.dtype(), "{}: dtypes differ: {} {} and {} {}; convert one", name,
                 name_of(y.dtype()), parts[0].shape(), name_of(part.dtype()), part.shape());
    widths.push_back(rows == 0 ? 0 : part.elements() / rows);
    move_rectangle({rows, widths.back(), widths.back(), row}, part.value(), 0, y, offset);
    offset += widths.back();
  }
  const std::vector<Input> inputs(parts.begin(), parts.end());
  return record(name, std::move(y), std::span<const Input>(inputs),
                [rows, row, widths = std::move(widths)](Grads& g) {
                  const Array dy = g.dy();
                  std::int64_t offset = 0;
                  for (std::size_t i = 0; i < widths.size(); offset += widths[i++]) {
                    if (!g.needs(static_cast<int>(i))) continue;
                    Into dx = g.into(static_cast<int>(i));
                    move_rectangle({rows, widths[i], row, widths[i]}, dy, offset, dx.buffer, 0,
                                   dx.accumulate);
                  }
                });
}

// index_select() of x, viewed as [outer, size, inner]. If x has room for append(), so has the
// result.
Array selected(const Array& x, int axis, const Indices& index, std::int64_t outer,
               std::int64_t inner) {
  const std::int64_t size = x.shape()[axis], count = index.shape().last();
  const std::int64_t step = index.shape().rank() == 1 ? 0 : count;  // to the next one's indices
  Shape shape = x.shape();
  shape[axis] = count;
  Array y = axis > 0 && has_room(x) ? array_with_room(shape, x.dtype()) : Array(shape, x.dtype());
  const std::size_t bytes = static_cast<std::size_t>(inner) * size_of(x.dtype());
  const auto* const from = static_cast<const char*>(x.raw());
  auto* const to = static_cast<char*>(y.mutable_raw());
  parallel_for(outer, row_grain(count * inner), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      for (std::int64_t k = 0; k < count; ++k)
        std::memcpy(to + static_cast<std::size_t>(i * count + k) * bytes,
                    from + static_cast<std::size_t>(i * size + index.at(i * step + k)) * bytes,
                    bytes);
  });
  return y;
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  return record_view("reshape", x, 0, x.value().reshape(shape).shape());
}

Tensor permute(const Tensor& x, const std::vector<int>& order) {
  const auto rank = static_cast<std::size_t>(x.rank());
  std::vector<int> axes, inverse(rank, -1);
  for (const int axis : order) axes.push_back(x.shape().axis(axis, "permute"));
  for (std::size_t i = 0; i < std::min(axes.size(), rank); ++i)
    inverse[static_cast<std::size_t>(axes[i])] = static_cast<int>(i);
  ATTUNE_CHECK(axes.size() == rank && std::count(inverse.begin(), inverse.end(), -1) == 0,
               "permute: the order [{}] does not name each of the {} axes of {} once",
               joined(order), rank, x.shape());
  return record("permute", permute_axes(x.value(), axes), {x},
                [inverse = std::move(inverse)](Grads& g) {
                  if (g.needs(0)) g.add(0, permute_axes(g.dy(), inverse));
                });
}

Tensor transpose(const Tensor& x, int axis_a, int axis_b) {
  std::vector<int> order(static_cast<std::size_t>(x.rank()));
  std::iota(order.begin(), order.end(), 0);
  std::swap(order[static_cast<std::size_t>(x.shape().axis(axis_a, "transpose"))],
            order[static_cast<std::size_t>(x.shape().axis(axis_b, "transpose"))]);
  return permute(x, order);
}

Tensor concat(const std::vector<Tensor>& parts, int axis) {
  ATTUNE_CHECK(!parts.empty(), "concat: no tensors given; at least one is needed");
  Shape shape = parts[0].shape();
  axis = shape.axis(axis, "concat");
  for (std::size_t i = 1; i < parts.size(); ++i) {
    Shape expected = parts[i].shape();
    if (expected.rank() == shape.rank()) expected[axis] = shape[axis];
    ATTUNE_CHECK(
        expected == shape,
        "concat: part {} of shape {} does not fit {} along axis {}; all other axes must be "
        "equal",
        i, parts[i].shape(), parts[0].shape(), axis);
    shape[axis] += parts[i].shape()[axis];
  }
  return join("concat", parts, shape, axis);
}

Tensor append(const Tensor& x, const Tensor& more) {
  const bool is_recorded = !NoGrad::active() && (x.requires_grad() || more.requires_grad());
  const bool fits = x.rank() > 0 && x.rank() == more.rank() && x.dtype() == more.dtype() &&
                    x.shape().without(0) == more.shape().without(0);
  if (is_recorded || !fits) return concat({x, more});
  return Tensor(grown(x.value(), more.value()));
}

Tensor stack(const std::vector<Tensor>& parts, int axis) {
  ATTUNE_CHECK(!parts.empty(), "stack: no tensors given; at least one is needed");
  const Shape shape = parts[0].shape();
  for (std::size_t i = 1; i < parts.size(); ++i)
    ATTUNE_CHECK(parts[i].shape() == shape,
                 "stack: part {} has shape {}, part 0 has {}; all must be equal", i,
                 parts[i].shape(), shape);
  const Shape longest = shape.with(0, static_cast<std::int64_t>(parts.size()));
  axis = longest.axis(axis, "stack");
  return join("stack", parts, shape.with(axis, longest[0]), axis);
}

Tensor slice(const Tensor& x, int axis, std::int64_t first, std::int64_t last) {
  axis = x.shape().axis(axis, "slice");
  const std::int64_t size = x.shape()[axis];
  if (first < 0) first += size;
  if (last < 0) last += size;
  ATTUNE_CHECK(first >= 0 && first <= last && last <= size,
               "slice: [{}, {}) is outside axis {} of {}; use 0 <= first <= last <= {}", first,
               last, axis, x.shape(), size);
  Shape shape = x.shape();
  shape[axis] = last - first;
  const std::int64_t rows = shape.elements(0, axis), inner = shape.elements(axis + 1, shape.rank());
  const std::int64_t offset = first * inner, width = (last - first) * inner;
  if (rows == 1) return record_view("slice", x, offset, shape);
  Array y(shape, x.dtype());
  move_rectangle({rows, width, size * inner, width}, x.value(), offset, y, 0);
  return record("slice", std::move(y), {x}, [=](Grads& g) {
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    move_rectangle({rows, width, width, size * inner}, g.dy(), 0, dx.buffer, offset, true);
  });
}

std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis) {
  axis = x.shape().axis(axis, "split");
  ATTUNE_CHECK(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}) == x.shape()[axis],
               "split: the sizes [{}] do not add up to {}, axis {} of {}", joined(sizes),
               x.shape()[axis], axis, x.shape());
  std::vector<Tensor> parts;
  std::int64_t first = 0;
  for (const std::int64_t size : sizes) {
    parts.push_back(slice(x, axis, first, first + size));
    first += size;
  }
  return parts;
}

Tensor broadcast_to(const Tensor& x, const Shape& shape) {
  ATTUNE_CHECK(x.rank() <= shape.rank() && broadcast(x.shape(), shape, "broadcast_to") == shape,
               "broadcast_to: {} cannot be stretched to {}; only axes of size 1 stretch", x.shape(),
               shape);
  return record("broadcast_to", stretch(x.value(), shape), {x}, [](Grads& g) { g.add(0, g.dy()); });
}

Tensor gather(const Tensor& x, const Indices& index) {
  ATTUNE_CHECK(x.rank() > 0 && index.shape() == x.shape().without(x.rank() - 1),
               "gather: x {} needs an index for each position of its leading axes; got {}",
               x.shape(), index.shape());
  const std::int64_t n = x.shape().last(), rows = index.elements();
  for (std::int64_t row = 0; row < rows; ++row)
    ATTUNE_CHECK(index.at(row) >= 0 && index.at(row) < n,
                 "gather: index {} at position {} is outside [0, {}), the last axis of {}",
                 index.at(row), row, n, x.shape());
  Array y(index.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    T* to = y.mutable_data<T>();
    for (std::int64_t row = 0; row < rows; ++row) to[row] = from[row * n + index.at(row)];
  });
  return record("gather", std::move(y), {x}, [n, rows, index](Grads& g) {
    Into dx = g.into(0);
    if (!dx.accumulate) dx.buffer.fill(0);
    dispatch(dx.buffer.dtype(), [&](auto type) {
      using T = decltype(type);
      const Array dy = g.dy();
      T* to = dx.buffer.template mutable_data<T>();
      for (std::int64_t row = 0; row < rows; ++row)
        to[row * n + index.at(row)] += dy.data<T>()[row];
    });
  });
}

Tensor index_select(const Tensor& x, int axis, const Indices& index) {
  axis = x.shape().axis(axis, "index_select");
  const Shape& of_index = index.shape();
  const auto before = x.shape().begin();
  const bool is_shared = index.defined() && of_index.rank() == 1;
  const bool is_own = index.defined() && of_index.rank() == axis + 1 &&
                      std::equal(before, before + axis, of_index.begin());
  ATTUNE_CHECK(is_shared || is_own,
               "index_select: the index {} does not fit axis {} of x {}; expected [N], or [{}{}N]",
               of_index, axis, x.shape(), joined(std::vector<std::int64_t>(before, before + axis)),
               axis > 0 ? ", " : "");
  const std::int64_t size = x.size(axis), count = of_index.last();
  for (std::int64_t i = 0; i < index.elements(); ++i)
    ATTUNE_CHECK(index.at(i) >= 0 && index.at(i) < size,
                 "index_select: index {} at position {} is outside [0, {}), axis {} of x {}",
                 index.at(i), i, size, axis, x.shape());
  const std::int64_t outer = x.shape().elements(0, axis);
  const std::int64_t inner = x.shape().elements(axis + 1, x.rank());
  if (NoGrad::active() || !x.requires_grad())
    return Tensor(selected(x.value(), axis, index, outer, inner));
  // An embedding look-up in x, reshaped to [outer * size, inner].
  std::vector<std::int32_t> rows;
  rows.reserve(static_cast<std::size_t>(outer * count));
  for (std::int64_t i = 0; i < outer; ++i)
    for (std::int64_t k = 0; k < count; ++k)
      rows.push_back(static_cast<std::int32_t>(i * size + index.at(is_shared ? k : i * count + k)));
  Shape shape = x.shape();
  shape[axis] = count;
  return reshape(embedding(reshape(x, {outer * size, inner}), Indices(rows, {outer * count})),
                 shape);
}

}  // namespace attune
