#include "attune/autograd/ops/embedding.h"

#include <algorithm>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/ops/matmul.h"

namespace attune {
namespace {

template <typename T>
void forward(const T* weight, const Indices& ids, std::int64_t features, T* y) {
  parallel_for(ids.elements(), row_grain(features), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      std::copy_n(weight + ids.at(i) * features, features, y + i * features);
  });
}

// Threads share out the columns: an id that occurs twice is no conflict, and its gradients are
// added in the order of the positions.
template <typename T>
void backward(const T* dy, const Indices& ids, std::int64_t features, T* dweight) {
  constexpr std::int64_t kCacheLine = 16;  // numbers
  const std::int64_t columns = row_grain(ids.elements());
  const std::int64_t grain = (columns + kCacheLine - 1) / kCacheLine * kCacheLine;
  parallel_for(features, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = 0; i < ids.elements(); ++i) {
      const T* from = dy + i * features;
      T* to = dweight + ids.at(i) * features;
      for (std::int64_t j = first; j < last; ++j) to[j] += from[j];
    }
  });
}

}  // namespace

Tensor embedding(const Tensor& weight, const Indices& ids) {
  ATTUNE_CHECK(weight.rank() == 2, "embedding: weight must be [V, D]; got {}", weight.shape());
  ATTUNE_CHECK(ids.defined(), "embedding: no ids given");
  const std::int64_t rows = weight.shape()[0], features = weight.shape()[1];
  for (std::int64_t i = 0; i < ids.elements(); ++i)
    ATTUNE_CHECK(ids.at(i) >= 0 && ids.at(i) < rows,
                 "embedding: id {} at position {} of ids {} is outside [0, {}), the rows of weight "
                 "{}",
                 ids.at(i), i, ids.shape(), rows, weight.shape());
  Array y(ids.shape().with(ids.shape().rank(), features), weight.dtype());
  dispatch(y.dtype(), [&](auto type) {
    using T = decltype(type);
    forward<T>(weight.value().data<T>(), ids, features, y.mutable_data<T>());
  });
  return record("embedding", std::move(y), {weight}, [ids, features](Grads& g) {
    Into dw = g.into(0);
    if (!dw.accumulate) dw.buffer.fill(0);
    dispatch(dw.buffer.dtype(), [&](auto type) {
      using T = decltype(type);
      backward<T>(g.dy().template data<T>(), ids, features, dw.buffer.template mutable_data<T>());
    });
  });
}

Tensor embedding_linear(const Tensor& weight, const Indices& ids, const Tensor& w,
                        std::int64_t first_column) {
  if (weight.rank() == 2 && weight.size(0) < ids.elements())
    return embedding(linear(weight, w, {}, first_column), ids);
  return linear(embedding(weight, ids), w, {}, first_column);
}

}  // namespace attune
