#include "attune/autograd/ops/embedding.h"

#include <algorithm>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/ops/linear.h"
#include "attune/autograd/ops/projected_input.h"

namespace attune {

using namespace kernels;

namespace {

template <typename T>
void forward(const T* weight, const Indices& ids, std::int64_t features, T* y) {
  parallel_for(ids.elements(), row_grain(features), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i)
      std::copy_n(weight + ids.at(i) * features, features, y + i * features);
  });
}

// Columns are split among threads, so repeated ids cause no conflict, and their gradients are added
// in order of position. As an id may occur a million times, ids with more than kOften occurrences
// are summed separately by sum_rows(), which keeps full precision.
template <typename T>
void backward(const T* dy, const Indices& ids, std::int64_t rows, std::int64_t features,
              T* dweight) {
  constexpr std::int64_t kOften = 64;
  std::vector<std::int64_t> count;
  if (ids.elements() > kOften) {
    count.resize(static_cast<std::size_t>(rows));
    for (std::int64_t i = 0; i < ids.elements(); ++i) ++count[static_cast<std::size_t>(ids.at(i))];
  }
  const auto often = [&](std::int64_t id) {
    return !count.empty() && count[static_cast<std::size_t>(id)] > kOften;
  };
  constexpr std::int64_t kCacheLine = 16;  // in float32 elements
  const std::int64_t columns = row_grain(ids.elements());
  const std::int64_t grain = (columns + kCacheLine - 1) / kCacheLine * kCacheLine;
  parallel_for(features, grain, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = 0; i < ids.elements(); ++i) {
      if (often(ids.at(i))) continue;
      const T* from = dy + i * features;
      T* to = dweight + ids.at(i) * features;
      for (std::int64_t j = first; j < last; ++j) to[j] += from[j];
    }
  });

  // Positions of the ids that occur often, grouped by id.
  std::vector<std::int64_t> end(count.size()), order;
  std::int64_t total = 0;
  for (std::size_t id = 0; id < count.size(); ++id) {
    end[id] = total;
    if (count[id] > kOften) total += count[id];
  }
  if (total == 0) return;
  order.resize(static_cast<std::size_t>(total));
  for (std::int64_t i = 0; i < ids.elements(); ++i)
    if (often(ids.at(i)))
      order[static_cast<std::size_t>(end[static_cast<std::size_t>(ids.at(i))]++)] = i;
  for (std::int64_t id = 0; id < rows; ++id) {
    if (!often(id)) continue;
    const std::int64_t times = count[static_cast<std::size_t>(id)];
    const std::int64_t* positions = order.data() + end[static_cast<std::size_t>(id)] - times;
    sum_rows<T>(
        AxisLayout(1, times, features),
        [=](std::int64_t, std::int64_t i, std::int64_t j) {
          return dy[positions[i] * features + j];
        },
        dweight + id * features, /*accumulate=*/true);
  }
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
  return record("embedding", std::move(y), {weight}, [ids, rows, features](Grads& g) {
    Into dw = g.into(0);
    if (!dw.accumulate) dw.buffer.fill(0);
    dispatch(dw.buffer.dtype(), [&](auto type) {
      using T = decltype(type);
      backward<T>(g.dy().template data<T>(), ids, rows, features,
                  dw.buffer.template mutable_data<T>());
    });
  });
}

Tensor embedding_linear(const Tensor& weight, const Indices& ids, const Tensor& w) {
  if (weight.rank() == 2 && weight.size(0) < ids.elements())
    return embedding(linear(weight, w, {}, 0), ids);
  return linear(embedding(weight, ids), w, {}, 0);
}

}  // namespace attune
