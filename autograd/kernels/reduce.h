#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/vector.h"

/// Sums. The order of additions depends on the shape only. A sum of any length is accurate to a few
/// units in the last place: only short blocks are summed in T, their sums in a wider type.
namespace attune::kernels {

/// An axis of n elements to reduce: x is viewed as [outer, n, inner], where outer and inner are the
/// products of the sizes before and after the axis.
struct AxisLayout {
  std::int64_t outer, n, inner;
  AxisLayout(const Shape& shape, int axis)
      : outer(shape.elements(0, axis)),
        n(shape[axis]),
        inner(shape.elements(axis + 1, shape.rank())) {}
  AxisLayout(std::int64_t outer, std::int64_t n, std::int64_t inner)
      : outer(outer), n(n), inner(inner) {}
};

/// out[o, j] = factor * sum over i of x[o, i, j], for x [outer, n, inner]; += with `accumulate`.
/// The factor is applied before rounding to T, so that means do not overflow.
template <typename T>
void sum_axis(const T* x, const AxisLayout& layout, T* out, bool accumulate = false,
              double factor = 1);

/// `factor` times the sum of all elements, as a scalar.
Array sum_all(const Array& x, double factor = 1);

/// `x` summed over the axes along which `shape` is broadcast to x's shape; x itself if there are
/// none. Errors: `shape` does not broadcast to x's shape.
Array sum_to(const Array& x, const Shape& shape);

namespace detail {

/// Columns that are summed together.
inline constexpr std::int64_t kColumnBlock = 64;

/// total[j] += sum of f(i, j) over rows i in [first, last), for j < width.
template <typename T, typename F>
void add_rows(std::int64_t first, std::int64_t last, std::int64_t width, const F& f,
              Wide<T>* total) {
  // Eight rows at a time are summed pairwise in T, so that each element is rounded three times.
  std::int64_t i = first;
  for (; i + 8 <= last; i += 8) {
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j)
      total[j] += ((f(i, j) + f(i + 1, j)) + (f(i + 2, j) + f(i + 3, j))) +
                  ((f(i + 4, j) + f(i + 5, j)) + (f(i + 6, j) + f(i + 7, j)));
  }
  for (; i < last; ++i) {
#pragma omp simd
    for (std::int64_t j = 0; j < width; ++j) total[j] += f(i, j);
  }
  // Eight rows may overflow in T although the whole sum, or the mean, does not.
  if (std::all_of(total, total + width, [](Wide<T> t) { return std::isfinite(t); })) return;
  std::fill_n(total, width, Wide<T>{0});
  for (i = first; i < last; ++i)
    for (std::int64_t j = 0; j < width; ++j) total[j] += f(i, j);
}

}  // namespace detail

/// out[o, j] (+)= factor * sum over i < n of element(o, i, j), for j < inner. Parallel over blocks
/// of columns, and over blocks of rows if there are many.
template <typename T, typename F>
void sum_rows(const AxisLayout& layout, const F& element, T* out, bool accumulate,
              double factor = 1) {
  constexpr std::int64_t kRows = 4096;
  const std::int64_t outer = layout.outer, n = layout.n, inner = layout.inner;
  const std::int64_t blocks = (inner + detail::kColumnBlock - 1) / detail::kColumnBlock;
  const std::int64_t parts = std::max<std::int64_t>(1, (n + kRows - 1) / kRows);
  const auto put = [=](std::int64_t at, Wide<T> total) {
    const T sum = static_cast<T>(total * static_cast<Wide<T>>(factor));
    out[at] = accumulate ? out[at] + sum : sum;
  };
  std::vector<Wide<T>> partial(
      static_cast<std::size_t>(parts > 1 ? outer * parts * inner : std::int64_t{0}));
  const std::int64_t cost = std::min(n, kRows) * std::min(inner, detail::kColumnBlock);
  parallel_for(outer * parts * blocks, row_grain(cost), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t begin = item % blocks * detail::kColumnBlock;
      const std::int64_t part = item / blocks % parts, o = item / blocks / parts;
      const std::int64_t width = std::min(detail::kColumnBlock, inner - begin);
      Wide<T> total[detail::kColumnBlock] = {};
      detail::add_rows<T>(
          part * kRows, std::min(n, (part + 1) * kRows), width,
          [&](std::int64_t i, std::int64_t j) { return element(o, i, begin + j); }, total);
      if (parts == 1)
        for (std::int64_t j = 0; j < width; ++j) put(o * inner + begin + j, total[j]);
      else
        std::copy_n(total, width, partial.begin() + ((o * parts + part) * inner + begin));
    }
  });
  if (parts == 1) return;
  for (std::int64_t o = 0; o < outer; ++o)
    for (std::int64_t j = 0; j < inner; ++j) {
      Wide<T> total = 0;
      for (std::int64_t part = 0; part < parts; ++part)
        total += partial[static_cast<std::size_t>((o * parts + part) * inner + j)];
      put(o * inner + j, total);
    }
}

}  // namespace attune::kernels
