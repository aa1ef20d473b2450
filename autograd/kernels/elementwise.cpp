#include "attune/autograd/kernels/elementwise.h"

namespace attune {
namespace detail {

BroadcastLoop::BroadcastLoop(const Shape& a, const Shape& b, const Shape& out) {
  // From the last axis: the stride of an operand is 0 where it is stretched.
  std::int64_t a_stride = 1, b_stride = 1;
  int count = 0;  // axes so far, innermost first
  for (int back = 0; back < out.rank(); ++back) {
    const std::int64_t size = out.last(back);
    const std::int64_t a_size = back < a.rank() ? a.last(back) : 1;
    const std::int64_t b_size = back < b.rank() ? b.last(back) : 1;
    const std::int64_t sa = a_size == 1 ? 0 : a_stride, sb = b_size == 1 ? 0 : b_stride;
    a_stride *= a_size;
    b_stride *= b_size;
    if (size == 1) continue;
    const bool merges = count > 0 && sa == a_strides[count - 1] * sizes[count - 1] &&
                        sb == b_strides[count - 1] * sizes[count - 1];
    if (merges) {
      sizes[count - 1] *= size;
      continue;
    }
    sizes[count] = size;
    a_strides[count] = sa;
    b_strides[count] = sb;
    ++count;
  }
  if (count == 0) {
    sizes[0] = 1;
    a_strides[0] = b_strides[0] = 1;
    count = 1;
  }
  rank = count;
  std::reverse(sizes, sizes + count);
  std::reverse(a_strides, a_strides + count);
  std::reverse(b_strides, b_strides + count);
}

void dtypes_differ(const char* op, const Array& a, const Array& b) {
  fail("{}: dtypes differ: {} {} and {} {}; convert one with to()", op, name_of(a.dtype()),
       a.shape(), name_of(b.dtype()), b.shape());
}

}  // namespace detail

void add_in_place(Array& to, const Array& from) {
  dispatch(to.dtype(), [&](auto type) {
    using T = decltype(type);
    T* out = to.mutable_data<T>();
    map_range<T>(
        to.elements(), out, [](T x, T y) { return x + y; }, static_cast<const T*>(out),
        from.data<T>());
  });
}

}  // namespace attune
