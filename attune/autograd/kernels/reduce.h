#pragma once

#include "attune/autograd/array/array.h"

/// Sums. The order of additions depends on the shape alone.
namespace attune {

/// An axis to reduce, with what lies before and after it: x is [outer, n, inner].
struct AxisLayout {
  std::int64_t outer, n, inner;
  AxisLayout(const Shape& shape, int axis)
      : outer(shape.elements(0, axis)),
        n(shape[axis]),
        inner(shape.elements(axis + 1, shape.rank())) {}
  AxisLayout(std::int64_t outer, std::int64_t n, std::int64_t inner)
      : outer(outer), n(n), inner(inner) {}
};

/// out [outer, inner] = sum over n of x [outer, n, inner]; with `accumulate`, out += it.
template <typename T>
void sum_axis(const T* x, const AxisLayout& layout, T* out, bool accumulate = false);

/// Sum of all elements, in a scalar.
Array sum_all(const Array& x);

/// `x` summed over the axes along which `shape` is broadcast to x's shape; x itself if there are
/// none.
Array sum_to(const Array& x, const Shape& shape);

}  // namespace attune
