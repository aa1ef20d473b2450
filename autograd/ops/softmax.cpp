#include "attune/autograd/ops/softmax.h"

#include "attune/autograd/kernels/softmax.h"
#include "attune/autograd/ops/shaping.h"

namespace attune {

using namespace kernels;

namespace {

void check_lengths(const char* op, const Tensor& x, int axis, const Indices& lengths) {
  if (!lengths.defined()) return;
  const std::int64_t batch = x.shape()[0], n = x.shape()[axis];
  ATTUNE_CHECK(axis != 0,
               "{}: with lengths, axis 0 of x {} is the batch and cannot be the axis to normalise",
               op, x.shape());
  ATTUNE_CHECK(lengths.shape() == Shape{batch},
               "{}: lengths must be [{}], one for each row of axis 0 of x {}; got {}", op, batch,
               x.shape(), lengths.shape());
  for (std::int64_t b = 0; b < batch; ++b)
    ATTUNE_CHECK(lengths.at(b) >= 0 && lengths.at(b) <= n,
                 "{}: length {} of row {} is outside [0, {}], axis {} of x {}", op, lengths.at(b),
                 b, n, axis, x.shape());
}

// Softmax, or its logarithm, over rows of the last axis.
template <bool kLog>
Tensor over_rows(const char* name, const Tensor& x, const Indices& lengths) {
  const std::int64_t n = x.shape().last(), count = x.shape().elements(0, x.rank() - 1);
  SoftmaxRows rows{count, n};
  if (lengths.defined()) {
    rows.lengths = lengths.data();
    rows.rows_per_length = count / std::max<std::int64_t>(1, x.shape()[0]);
  }
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.value().data<T>();
    kLog ? log_softmax_forward<T>(rows, from, y.mutable_data<T>())
         : softmax_forward<T>(rows, from, y.mutable_data<T>());
  });
  return record(name, y, {x}, [rows, lengths, y = Saved(y)](Grads& g) {
    const Array dy = g.dy();
    Into dx = g.into(0);
    dispatch(dy.dtype(), [&](auto type) {
      using T = decltype(type);
      const T *p = y->data<T>(), *d = dy.data<T>();
      T* to = dx.buffer.template mutable_data<T>();
      kLog ? log_softmax_backward<T>(rows, p, d, to, dx.accumulate)
           : softmax_backward<T>(rows, p, d, to, dx.accumulate);
    });
  });
}

// The rows of another axis than the last are made dense by swapping the two.
template <bool kLog>
Tensor over_axis(const char* name, const Tensor& x, int axis, const Indices& lengths) {
  axis = x.shape().axis(axis, name);
  check_lengths(name, x, axis, lengths);
  if (axis == x.rank() - 1) return over_rows<kLog>(name, x, lengths);
  return transpose(over_rows<kLog>(name, transpose(x, axis, -1), lengths), axis, -1);
}

}  // namespace

Tensor softmax(const Tensor& x, int axis, const Indices& lengths) {
  return over_axis<false>("softmax", x, axis, lengths);
}

Tensor log_softmax(const Tensor& x, int axis, const Indices& lengths) {
  return over_axis<true>("log_softmax", x, axis, lengths);
}

}  // namespace attune
