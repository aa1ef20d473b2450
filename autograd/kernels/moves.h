#pragma once

#include <cstdint>
#include <span>

#include "attune/autograd/array/array.h"

/// Loops that move elements without changing them.
namespace attune::kernels {

/// A copy of `x` broadcast to `shape`.
Array stretch(const Array& x, const Shape& shape);

/// A copy of `x` whose axis i is axis order[i] of x. `order` is a permutation.
Array permute_axes(const Array& x, std::span<const int> order);

/// `rows` rows of `width` elements. Row r begins r * from_step elements after the first element in
/// the source, and r * to_step elements after it in the destination.
struct Rectangle {
  std::int64_t rows, width, from_step, to_step;
};

/// to[r, i] = from[r, i], or += with `accumulate`. The first elements are at flat positions
/// `from_offset` and `to_offset`.
void move_rectangle(const Rectangle& n, const Array& from, std::int64_t from_offset, Array& to,
                    std::int64_t to_offset, bool accumulate = false);

}  // namespace attune::kernels
