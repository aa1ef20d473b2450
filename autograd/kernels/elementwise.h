#pragma once

#include <algorithm>
#include <array>
#include <initializer_list>
#include <type_traits>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/vector.h"

/// Element-wise loops over arrays. `f` is a generic lambda from scalars of the arrays' dtype to a
/// scalar; if it has no branches, the loop compiles to SIMD code.
namespace attune {

namespace detail {

// Loops whose `f` calls the C++ library cannot be vectorised, which Clang would warn about.
#if defined(__clang__)
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

/// out[i] = f(in[i]...) for i in [first, last), on the calling thread.
template <typename Out, typename F, typename... In>
ATTUNE_LOOP void map_loop(std::int64_t first, std::int64_t last, Out* out, const F& f,
                          const In*... in) {
#pragma omp simd simdlen(16)  // two AVX2 vectors or one AVX-512 vector, whatever -mtune prefers
  for (std::int64_t i = first; i < last; ++i) out[i] = f(in[i]...);
}

#if defined(__clang__)
#pragma clang diagnostic pop
#endif

/// Element type of map()'s result: bool if f returns bool, T otherwise.
template <typename F, typename... In>
struct Mapped {
  static constexpr bool is_boolean = std::is_same_v<std::invoke_result_t<const F&, In...>, bool>;
  template <typename T>
  using To = std::conditional_t<is_boolean, bool, T>;
};

}  // namespace detail

/// out[i] = f(in[i]...) on raw pointers.
template <typename T, typename F, typename... In>
void map_range(std::int64_t n, T* out, const F& f, const In*... in) {
  parallel_for(n, kElementGrain, [=, &f](std::int64_t first, std::int64_t last) {
    detail::map_loop(first, last, out, f, in...);
  });
}

namespace detail {

template <typename T, typename F, typename... In>
Array map_same(const F& f, const Array& first, const In&... rest) {
  using Out = typename Mapped<F, T, decltype(rest.dtype(), T{})...>::template To<T>;
  Array out(first.shape(), dtype_of<Out>);
  map_range<Out>(out.elements(), out.mutable_data<Out>(), f, first.data<T>(),
                 rest.template data<T>()...);
  return out;
}

}  // namespace detail

/// f applied element by element to arrays of equal shape and dtype; returns a new array.
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

/// Loop nest of a broadcasting operation. Adjacent axes are merged where the strides of all
/// operands allow it; the innermost axis is last. A stride of 0 repeats an operand along an axis.
struct BroadcastLoop {
  static constexpr int kMaxOperands = 3;
  BroadcastLoop(std::initializer_list<const Shape*> operands, const Shape& out);
  int rank = 0;
  std::int64_t sizes[Shape::kMaxRank], strides[kMaxOperands][Shape::kMaxRank];

  /// The size of the innermost axis.
  std::int64_t width() const { return sizes[rank - 1]; }
  /// False if the operand is broadcast along the innermost axis.
  bool moves(int operand) const { return strides[operand][rank - 1] != 0; }
  /// The offsets of the first kCount operands in outer iteration `row`.
  template <int kCount>
  std::array<std::int64_t, kCount> offsets(std::int64_t row) const {
    std::array<std::int64_t, kCount> at{};
    for (int axis = rank - 2; axis >= 0; --axis) {
      const std::int64_t outer = axis > 0 ? row / sizes[axis] : 0;  // division is slow
      const std::int64_t index = row - outer * sizes[axis];
      for (int i = 0; i < kCount; ++i) at[i] += index * strides[i][axis];
      row = outer;
    }
    return at;
  }
};

/// Errors, prefixed with `op`: dtypes differ or are boolean.
void check_numbers(const char* op, std::initializer_list<const Array*> operands);

/// Rows [first, last) of out = f(a, b) with broadcasting, on the calling thread.
template <typename Out, typename T, typename F>
ATTUNE_LOOP void map_rows(const BroadcastLoop& loop, std::int64_t first, std::int64_t last,
                          Out* out, const T* a, const T* b, const F& f) {
  const std::int64_t n = loop.width();
  const bool a_moves = loop.moves(0), b_moves = loop.moves(1);
  for (std::int64_t row = first; row < last; ++row) {
    const auto [a_offset, b_offset] = loop.offsets<2>(row);
    const T* x = a + a_offset;
    const T* y = b + b_offset;
    Out* z = out + row * n;
    if constexpr (std::is_same_v<T, double>) {
      // float64 is for gradient checks and need not be fast: a single loop for all cases halves
      // the compile time of functions that use map().
      const std::int64_t a_step = a_moves, b_step = b_moves;
      for (std::int64_t i = 0; i < n; ++i) z[i] = f(x[i * a_step], y[i * b_step]);
    } else if (a_moves && b_moves) {
      map_loop(0, n, z, f, x, y);
    } else if (a_moves) {
      map_loop(
          0, n, z, [&f, other = *y](T v) { return f(v, other); }, x);
    } else {
      map_loop(
          0, n, z, [&f, other = *x](T v) { return f(other, v); }, y);
    }
  }
}

/// A row of an operand, read in pieces of up to kRepeat elements. If the operand is broadcast along
/// the row, at() returns a buffer filled with its one element.
template <typename T>
class OperandRow {
 public:
  static constexpr std::int64_t kRepeat = 256;
  OperandRow(const T* row, bool moves, std::int64_t n) : row_(row), moves_(moves) {
    if (!moves) std::fill_n(repeated_, std::min(n, kRepeat), *row);
  }
  const T* at(std::int64_t first) const { return moves_ ? row_ + first : repeated_; }

 private:
  const T* row_;
  bool moves_;
  T repeated_[kRepeat];
};

/// out = f(a, b, c) with broadcasting; operands may have different types.
template <typename Out, typename A, typename B, typename C, typename F>
void map_rows(const BroadcastLoop& loop, std::int64_t rows, Out* out, const A* a, const B* b,
              const C* c, const F& f) {
  const std::int64_t n = loop.width(), parts = (n - 1) / kElementGrain + 1;
  parallel_for(rows * parts, row_grain(n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t item = first; item < last; ++item) {
      const std::int64_t row = item / parts, begin = item % parts * kElementGrain;
      const std::int64_t end = std::min(n, begin + kElementGrain);
      const auto [a_offset, b_offset, c_offset] = loop.offsets<3>(row);
      const OperandRow<A> x(a + a_offset, loop.moves(0), n);
      const OperandRow<B> y(b + b_offset, loop.moves(1), n);
      const OperandRow<C> z(c + c_offset, loop.moves(2), n);
      constexpr std::int64_t kPiece = OperandRow<A>::kRepeat;
      for (std::int64_t i = begin; i < end; i += kPiece)
        map_loop(0, std::min(kPiece, end - i), out + row * n + i, f, x.at(i), y.at(i), z.at(i));
    }
  });
}

}  // namespace detail

/// f(x) for every element. Errors, prefixed with `op`: x is boolean.
template <typename F>
Array map(const char* op, const Array& x, const F& f) {
  if (x.dtype() == DType::boolean) [[unlikely]]
    detail::check_numbers(op, {&x});
  return map_same(f, x);
}

/// f(a, b) with NumPy broadcasting; boolean if f returns bool. Errors, prefixed with `op`: shapes
/// do not broadcast; dtypes differ or are boolean.
template <typename F>
Array map(const char* op, const Array& a, const Array& b, const F& f) {
  if (a.dtype() != b.dtype() || a.dtype() == DType::boolean) [[unlikely]]
    detail::check_numbers(op, {&a, &b});
  if (a.dtype() == DType::f32 && a.shape() == b.shape()) return detail::map_same<float>(f, a, b);
  constexpr bool kBoolean = detail::Mapped<F, float, float>::is_boolean;
  Array out(broadcast(a.shape(), b.shape(), op), kBoolean ? DType::boolean : a.dtype());
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop({&a.shape(), &b.shape()}, out.shape());
  dispatch(a.dtype(), [&](auto type) {
    using T = decltype(type);
    using Out = std::conditional_t<kBoolean, bool, T>;
    const T* a_data = a.data<T>();
    const T* b_data = b.data<T>();
    Out* out_data = out.mutable_data<Out>();
    parallel_for(out.elements() / loop.width(), row_grain(loop.width()),
                 [&](std::int64_t first, std::int64_t last) {
                   detail::map_rows(loop, first, last, out_data, a_data, b_data, f);
                 });
  });
  return out;
}

/// f(a, b, c) with NumPy broadcasting. Errors: as for two operands.
template <typename F>
Array map(const char* op, const Array& a, const Array& b, const Array& c, const F& f) {
  detail::check_numbers(op, {&a, &b, &c});
  const Shape shape = broadcast(broadcast(a.shape(), b.shape(), op), c.shape(), op);
  constexpr bool kBoolean = detail::Mapped<F, float, float, float>::is_boolean;
  Array out(shape, kBoolean ? DType::boolean : a.dtype());
  if (out.elements() == 0) return out;
  const detail::BroadcastLoop loop({&a.shape(), &b.shape(), &c.shape()}, shape);
  dispatch(a.dtype(), [&](auto type) {
    using T = decltype(type);
    using Out = std::conditional_t<kBoolean, bool, T>;
    detail::map_rows(loop, out.elements() / loop.width(), out.mutable_data<Out>(), a.data<T>(),
                     b.data<T>(), c.data<T>(), f);
  });
  return out;
}

/// to[i] += from[i]; shapes must be equal.
void add_in_place(Array& to, const Array& from);

}  // namespace attune
