#include "attune/autograd/ops/padding.h"

#include <algorithm>
#include <utility>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/padding.h"

namespace attune {

using namespace kernels;

namespace {

Array reversed(const Array& x, const Indices& lengths) {
  const std::int64_t steps = x.shape()[0], batch = x.shape()[1];
  const std::int64_t n = x.shape().elements(2, x.shape().rank());
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(steps, row_grain(batch * n), [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t t = first; t < last; ++t)
        for (std::int64_t b = 0; b < batch; ++b) {
          const std::int64_t source = (lengths.defined() ? lengths.at(b) : steps) - 1 - t;
          T* row = to + (t * batch + b) * n;
          if (source >= 0)
            std::copy_n(from + (source * batch + b) * n, n, row);
          else
            std::fill_n(row, n, T{0});
        }
    });
  });
  return y;
}

}  // namespace

Tensor mask_padding(Tensor x, const Indices& lengths) {
  if (!lengths.defined()) return x;
  ATTUNE_CHECK(x.rank() >= 2, "mask_padding: x must be [T, B, ...], time first; got {}", x.shape());
  const std::int64_t steps = x.size(0), batch = x.size(1);
  check_lengths("mask_padding", lengths, steps, batch);
  if (std::all_of(lengths.data(), lengths.data() + batch, [=](auto n) { return n == steps; }))
    return x;
  const bool temporary = x.value().unique();  // its memory is not shared
  return record("mask_padding", clear_padding(std::as_const(x).value(), lengths, temporary), {x},
                [lengths](Grads& g) { g.add(0, clear_padding(g.dy(), lengths)); });
}

Tensor reverse_sequence(const Tensor& x, const Indices& lengths) {
  ATTUNE_CHECK(x.rank() >= 2, "reverse_sequence: x must be [T, B, ...], time first; got {}",
               x.shape());
  check_lengths("reverse_sequence", lengths, x.size(0), x.size(1));
  return record("reverse_sequence", reversed(x.value(), lengths), {x},
                [lengths](Grads& g) { g.add(0, reversed(g.dy(), lengths)); });
}

}  // namespace attune
