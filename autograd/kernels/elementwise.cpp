#include "attune/autograd/kernels/elementwise.h"

namespace attune {
namespace detail {

BroadcastLoop::BroadcastLoop(std::initializer_list<const Shape*> shapes, const Shape& out) {
  const int operands = static_cast<int>(shapes.size());
  // Axes are visited from the last to the first. Along a broadcast axis an operand's stride is 0.
  std::int64_t dense[kMaxOperands], stride[kMaxOperands];
  std::fill_n(dense, kMaxOperands, 1);
  int count = 0;  // merged axes so far, innermost first
  for (int back = 0; back < out.rank(); ++back) {
    const std::int64_t size = out.last(back);
    bool merges = count > 0;
    for (int i = 0; i < operands; ++i) {
      const Shape& shape = *shapes.begin()[i];
      const std::int64_t own = back < shape.rank() ? shape.last(back) : 1;
      stride[i] = own == 1 ? 0 : dense[i];
      dense[i] *= own;
      merges = merges && stride[i] == strides[i][count - 1] * sizes[count - 1];
    }
    if (size == 1) continue;
    if (merges) {
      sizes[count - 1] *= size;
      continue;
    }
    sizes[count] = size;
    for (int i = 0; i < operands; ++i) strides[i][count] = stride[i];
    ++count;
  }
  if (count == 0) {
    sizes[0] = 1;
    for (int i = 0; i < operands; ++i) strides[i][0] = 1;
    count = 1;
  }
  rank = count;
  std::reverse(sizes, sizes + count);
  for (int i = 0; i < operands; ++i) std::reverse(strides[i], strides[i] + count);
}

void check_numbers(const char* op, std::initializer_list<const Array*> operands) {
  for (const Array* x : operands)
    ATTUNE_CHECK(x->dtype() != DType::boolean,
                 "{}: an operand of shape {} holds booleans (b8), which do not support arithmetic; "
                 "choose with where(), combine with logical_and(), or convert with "
                 "to(DType::f32)",
                 op, x->shape());
  const Array& a = **operands.begin();
  for (const Array* b : operands)
    ATTUNE_CHECK(a.dtype() == b->dtype(),
                 "{}: dtypes differ: {} {} and {} {}; convert one with to()", op,
                 name_of(a.dtype()), a.shape(), name_of(b->dtype()), b->shape());
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
