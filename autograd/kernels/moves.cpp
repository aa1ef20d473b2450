#include "attune/autograd/kernels/moves.h"

#include <algorithm>
#include <type_traits>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/elementwise.h"

namespace attune::kernels {
namespace {

// The axes of a permuted copy, with axes merged that stay adjacent; at least one axis.
struct PermutedAxes {
  PermutedAxes(const Shape& x, std::span<const int> order) {
    for (const int axis : order) {
      if (x[axis] == 1) continue;
      const std::int64_t step = x.elements(axis + 1, x.rank());
      if (rank > 0 && steps[rank - 1] == step * x[axis]) {
        sizes[rank - 1] *= x[axis];
        steps[rank - 1] = step;
      } else {
        sizes[rank] = x[axis];
        steps[rank++] = step;
      }
    }
    if (rank == 0) sizes[0] = steps[rank++] = 1;
  }

  int rank = 0;
  std::int64_t sizes[Shape::kMaxRank];
  std::int64_t steps[Shape::kMaxRank];  // strides in x
};

// Copies to[row, column] = from[row + column * from_step] for one tile of a transposed matrix. A
// buffer avoids the cache conflicts that power-of-two strides would cause.
constexpr std::int64_t kTile = 16;

template <typename T>
void transpose_tile(std::int64_t rows, std::int64_t columns, const T* from, std::int64_t from_step,
                    T* to, std::int64_t to_step) {
  T buffer[kTile][kTile];
  for (std::int64_t column = 0; column < columns; ++column)
    std::copy_n(from + column * from_step, rows, buffer[column]);
  for (std::int64_t row = 0; row < rows; ++row)
    for (std::int64_t column = 0; column < columns; ++column)
      to[row * to_step + column] = buffer[column][row];
}

// Copies as a batch of matrix transposes: columns are the last axis of the result, rows the axis
// along which x is contiguous.
template <typename T>
void permute_copy(const PermutedAxes& axes, const T* from, T* to) {
  const int last = axes.rank - 1;
  const int dense = static_cast<int>(std::find(axes.steps, axes.steps + axes.rank, 1) - axes.steps);
  const std::int64_t rows = dense == last ? 1 : axes.sizes[dense];
  const std::int64_t columns = axes.sizes[last];
  std::int64_t to_steps[Shape::kMaxRank];
  std::int64_t matrices = 1, elements = 1;
  for (int axis = last; axis >= 0; --axis) {
    to_steps[axis] = elements;
    elements *= axes.sizes[axis];
    if (axis != last && axis != dense) matrices *= axes.sizes[axis];
  }
  const std::int64_t bands = (rows + kTile - 1) / kTile;  // of kTile rows
  parallel_for(matrices * bands, row_grain(std::min(rows, kTile) * columns),
               [&](std::int64_t first, std::int64_t end) {
                 for (std::int64_t item = first; item < end; ++item) {
                   const std::int64_t row = item % bands * kTile;
                   std::int64_t matrix = item / bands;
                   const T* source = from + (dense == last ? 0 : row);
                   T* target = to + (dense == last ? 0 : row * to_steps[dense]);
                   for (int axis = last - 1; axis >= 0; --axis) {
                     if (axis == dense) continue;
                     source += matrix % axes.sizes[axis] * axes.steps[axis];
                     target += matrix % axes.sizes[axis] * to_steps[axis];
                     matrix /= axes.sizes[axis];
                   }
                   if (dense == last) {
                     std::copy_n(source, columns, target);
                     continue;
                   }
                   const std::int64_t height = std::min(kTile, rows - row);
                   for (std::int64_t column = 0; column < columns; column += kTile)
                     transpose_tile(height, std::min(kTile, columns - column),
                                    source + column * axes.steps[last], axes.steps[last],
                                    target + column, to_steps[dense]);
                 }
               });
}

}  // namespace

Array stretch(const Array& x, const Shape& shape) {
  Array out(shape, x.dtype());
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop({&x.shape()}, shape);
  const std::int64_t n = loop.width();
  const bool moves = loop.moves(0);
  dispatch_any(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* x_data = x.data<T>();
    T* out_data = out.mutable_data<T>();
    parallel_for(out.elements() / n, row_grain(n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const auto [offset] = loop.offsets<1>(row);
        const T* from = x_data + offset;
        T* to = out_data + row * n;
        if (moves)
          std::copy_n(from, n, to);
        else
          std::fill_n(to, n, *from);
      }
    });
  });
  return out;
}

Array permute_axes(const Array& x, std::span<const int> order) {
  Shape shape = x.shape();
  for (int i = 0; i < shape.rank(); ++i) shape[i] = x.shape()[order[static_cast<std::size_t>(i)]];
  Array out(shape, x.dtype());
  if (out.elements() == 0) return out;
  const PermutedAxes axes(x.shape(), order);
  dispatch_any(x.dtype(), [&](auto type) {
    using T = decltype(type);
    permute_copy(axes, x.data<T>(), out.mutable_data<T>());
  });
  return out;
}

void move_rectangle(const Rectangle& n, const Array& from, std::int64_t from_offset, Array& to,
                    std::int64_t to_offset, bool accumulate) {
  dispatch_any(from.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from_data = from.data<T>() + from_offset;
    T* to_data = to.mutable_data<T>() + to_offset;
    parallel_for(n.rows, row_grain(n.width), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        const T* source = from_data + row * n.from_step;
        T* target = to_data + row * n.to_step;
        if (!accumulate) {
          std::copy_n(source, n.width, target);
          continue;
        }
        if constexpr (!std::is_same_v<T, bool>) {
#pragma omp simd
          for (std::int64_t i = 0; i < n.width; ++i) target[i] += source[i];
        }
      }
    });
  });
}

}  // namespace attune::kernels
