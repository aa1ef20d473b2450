#pragma once

#include <algorithm>
#include <type_traits>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"

/// Element-wise loops over arrays. The functions `f` take and give plain numbers of the arrays'
/// dtype and are generic lambdas; written without branches they compile to SIMD code.
namespace attune {

/// out[i] = f(first[i], rest[i]...) for arrays of one shape, on raw pointers.
template <typename T, typename F, typename... In>
void map_range(std::int64_t n, T* out, const F& f, const In*... in) {
  parallel_for(n, kElementGrain, [=, &f](std::int64_t first, std::int64_t last) {
#pragma omp simd
    for (std::int64_t i = first; i < last; ++i) out[i] = f(in[i]...);
  });
}

namespace detail {

template <typename T, typename F, typename... In>
Array map_same(const F& f, const Array& first, const In&... rest) {
  Array out(first.shape(), first.dtype());
  map_range<T>(out.elements(), out.mutable_data<T>(), f, first.data<T>(),
               rest.template data<T>()...);
  return out;
}

}  // namespace detail

/// A new array: f of the elements of arrays that all have one shape and dtype.
template <typename F, typename... In>
Array map_same(const F& f, const Array& first, const In&... rest) {
  return dispatch(first.dtype(),
                  [&](auto type) { return detail::map_same<decltype(type)>(f, first, rest...); });
}

/// f(x) for every element.
template <typename F>
Array map(const Array& x, const F& f) {
  return map_same(f, x);
}

namespace detail {

/// The loop nest of a broadcasting operation: axes merged where both operands allow, innermost
/// last. A stride of 0 repeats the operand along the axis.
struct BroadcastLoop {
  BroadcastLoop(const Shape& a, const Shape& b, const Shape& out);
  int rank = 0;
  std::int64_t sizes[Shape::kMaxRank], a_strides[Shape::kMaxRank], b_strides[Shape::kMaxRank];

  /// Offsets of both operands in outer iteration `row`.
  void offsets(std::int64_t row, std::int64_t& a, std::int64_t& b) const {
    a = b = 0;
    for (int axis = rank - 2; axis >= 0; --axis) {
      const std::int64_t index = row % sizes[axis];
      row /= sizes[axis];
      a += index * a_strides[axis];
      b += index * b_strides[axis];
    }
  }
};

[[noreturn]] void dtypes_differ(const char* op, const Array& a, const Array& b);

}  // namespace detail

/// f(a, b) under NumPy's broadcasting. Errors (named after `op`): shapes do not broadcast, dtypes
/// differ.
template <typename F>
Array map(const char* op, const Array& a, const Array& b, const F& f) {
  if (a.dtype() != b.dtype()) [[unlikely]]
    detail::dtypes_differ(op, a, b);
  if (a.dtype() == DType::f32 && a.shape() == b.shape()) return detail::map_same<float>(f, a, b);
  Array out(broadcast(a.shape(), b.shape(), op), a.dtype());
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop(a.shape(), b.shape(), out.shape());
  const std::int64_t n = loop.sizes[loop.rank - 1];
  const bool a_moves = loop.a_strides[loop.rank - 1] != 0;
  const bool b_moves = loop.b_strides[loop.rank - 1] != 0;
  dispatch(a.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* a_data = a.data<T>();
    const T* b_data = b.data<T>();
    T* out_data = out.mutable_data<T>();
    parallel_for(out.elements() / n, row_grain(n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t row = first; row < last; ++row) {
        std::int64_t a_offset, b_offset;
        loop.offsets(row, a_offset, b_offset);
        const T* x = a_data + a_offset;
        const T* y = b_data + b_offset;
        T* z = out_data + row * n;
        if constexpr (std::is_same_v<T, double>) {
          // It checks gradients and need not be fast: one loop for all cases halves the time that
          // the functions made with map() take to compile.
          const std::int64_t a_step = a_moves, b_step = b_moves;
          for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i * a_step], y[i * b_step]);
        } else if (a_moves && b_moves) {
#pragma omp simd
          for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i], y[i]);
        } else if (a_moves) {
          const T other = *y;
#pragma omp simd
          for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i], other);
        } else {
          const T other = *x;
#pragma omp simd
          for (std::int64_t i = 0; i < n; ++i) z[i] = f(other, y[i]);
        }
      }
    });
  });
  return out;
}

/// to[i] += from[i]; shapes are equal.
void add_in_place(Array& to, const Array& from);

}  // namespace attune
