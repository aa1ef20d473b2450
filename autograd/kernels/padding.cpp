#include "attune/autograd/kernels/padding.h"

#include <algorithm>

#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {
namespace {

// True if row(offset, count) is true for every padded row, `count` elements from `offset` on.
template <typename Row>
bool all_padding(const Shape& shape, const Indices& lengths, const Row& row) {
  const std::int64_t steps = shape[0], batch = shape[1], n = shape.elements(2, shape.rank());
  for (std::int64_t b = 0; b < batch; ++b)
    for (std::int64_t t = lengths.at(b); t < steps; ++t)
      if (!row((t * batch + b) * n, n)) return false;
  return true;
}

}  // namespace

void check_lengths(const char* op, const Indices& lengths, std::int64_t steps, std::int64_t batch) {
  if (!lengths.defined()) return;
  ATTUNE_CHECK(lengths.shape() == Shape{batch},
               "{}: lengths must be [{}], one for each sequence; got {}", op, batch,
               lengths.shape());
  for (std::int64_t b = 0; b < batch; ++b)
    ATTUNE_CHECK(lengths.at(b) >= 0 && lengths.at(b) <= steps,
                 "{}: length {} of sequence {} is outside [0, {}]", op, lengths.at(b), b, steps);
}

Array clear_padding(const Array& x, const Indices& lengths, bool in_place) {
  if (!lengths.defined()) return x;
  return dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* from = x.data<T>();
    const bool clear = all_padding(x.shape(), lengths, [=](std::int64_t first, std::int64_t n) {
      return lane_sum<T>(n, [=](std::int64_t i) { return from[first + i] == 0 ? T{0} : T{1}; }) ==
             0;
    });
    if (clear) return x;
    Array result = in_place ? x : x.clone();
    T* to = result.mutable_data<T>();
    all_padding(x.shape(), lengths, [=](std::int64_t first, std::int64_t n) {
      std::fill_n(to + first, n, T{0});
      return true;
    });
    return result;
  });
}

}  // namespace attune::kernels
