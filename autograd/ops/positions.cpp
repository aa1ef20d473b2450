#include "attune/autograd/ops/positions.h"

#include <algorithm>
#include <cmath>

#include "attune/autograd/array/parallel.h"

namespace attune {
namespace {

// The cosine and the sine of each angle: [T, d / 2, 2].
Array rotations(std::int64_t positions, std::int64_t pairs, std::int64_t features,
                const RotaryOptions& options, DType dtype) {
  Array waves(Shape{positions, pairs, 2}, dtype);
  dispatch(dtype, [&](auto type) {
    using T = decltype(type);
    T* to = waves.mutable_data<T>();
    for (std::int64_t i = 0; i < pairs; ++i) {
      const double frequency =
          std::pow(options.base, -2 * static_cast<double>(i) / static_cast<double>(features));
      for (std::int64_t t = 0; t < positions; ++t) {
        const double angle = static_cast<double>(options.first + t) * frequency;
        to[(t * pairs + i) * 2] = static_cast<T>(std::cos(angle));
        to[(t * pairs + i) * 2 + 1] = static_cast<T>(std::sin(angle));
      }
    }
  });
  return waves;
}

// Rotates x [T, rows, d] by the angles, or back.
template <bool kBack>
Array rotate(const Array& x, const Array& waves, std::int64_t features) {
  const std::int64_t positions = waves.shape()[0], pairs = waves.shape()[1];
  const std::int64_t rows = x.elements() / std::max<std::int64_t>(1, positions * features);
  Array y(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *from = x.data<T>(), *wave = waves.data<T>();
    T* const to = y.mutable_data<T>();
    parallel_for(positions * rows, row_grain(2 * features), [&](auto begin, auto end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T *a = from + row * features, *w = wave + row / rows * pairs * 2;
        T* b = to + row * features;
        for (std::int64_t i = 0; i < pairs; ++i) {
          const T c = w[2 * i], s = kBack ? -w[2 * i + 1] : w[2 * i + 1];
          b[2 * i] = a[2 * i] * c - a[2 * i + 1] * s;
          b[2 * i + 1] = a[2 * i] * s + a[2 * i + 1] * c;
        }
        if (features % 2 == 1) b[features - 1] = a[features - 1];
      }
    });
  });
  return y;
}

// T queries, S keys and N buckets, in `outer` matrices.
struct BucketSizes {
  std::int64_t outer, queries, keys, count;
};

void check_buckets(const char* op, const Indices& buckets, std::int64_t count) {
  for (std::int64_t i = 0; i < buckets.elements(); ++i)
    ATTUNE_CHECK(buckets.data()[i] >= 0 && buckets.data()[i] < count,
                 "{}: bucket {} of query {} and key {} is outside [0, {})", op, buckets.data()[i],
                 i / buckets.shape()[1], i % buckets.shape()[1], count);
}

// scores[o, t, s] = entries[o, t or 0, buckets[t, s]]
Array pick(const Array& entries, const Indices& buckets, const BucketSizes& n, bool shared,
           const Shape& shape) {
  Array scores(shape, entries.dtype());
  dispatch(entries.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* const from = entries.data<T>();
    T* const to = scores.mutable_data<T>();
    const std::int32_t* const bucket = buckets.data();
    parallel_for(n.outer * n.queries, row_grain(n.keys), [&](auto begin, auto end) {
      for (std::int64_t row = begin; row < end; ++row) {
        const T* own = from + (shared ? row / n.queries : row) * n.count;
        const std::int32_t* of_query = bucket + row % n.queries * n.keys;
        for (std::int64_t s = 0; s < n.keys; ++s) to[row * n.keys + s] = own[of_query[s]];
      }
    });
  });
  return scores;
}

// The adjoint of pick(). With `shared`, all queries of a matrix add to the same entries.
Array add_up(const Array& scores, const Indices& buckets, const BucketSizes& n, bool shared,
             const Shape& shape) {
  Array entries = Array::zeros(shape, scores.dtype());
  dispatch(scores.dtype(), [&](auto type) {
    using T = decltype(type);
    const T* const from = scores.data<T>();
    T* const to = entries.mutable_data<T>();
    const std::int32_t* const bucket = buckets.data();
    parallel_for(n.outer, row_grain(n.queries * n.keys), [&](auto begin, auto end) {
      for (std::int64_t row = begin * n.queries; row < end * n.queries; ++row) {
        T* own = to + (shared ? row / n.queries : row) * n.count;
        const std::int32_t* of_query = bucket + row % n.queries * n.keys;
        for (std::int64_t s = 0; s < n.keys; ++s) own[of_query[s]] += from[row * n.keys + s];
      }
    });
  });
  return entries;
}

}  // namespace

Tensor rotary(const Tensor& x, const RotaryOptions& options) {
  ATTUNE_CHECK(x.rank() == 3 && options.heads >= 1 && x.size(2) % options.heads == 0,
               "rotary: x must be [T, B, features], with features that are a multiple of the {} "
               "heads; got {}",
               options.heads, x.shape());
  ATTUNE_CHECK(options.first >= 0, "rotary: the first position is {}; they are counted from 0",
               options.first);
  ATTUNE_CHECK(options.base > 0, "rotary: the base is {}; it must be above 0", options.base);
  const std::int64_t features = x.size(2) / options.heads;
  const Array waves = rotations(x.size(0), features / 2, features, options, x.dtype());
  return record("rotary", rotate<false>(x.value(), waves, features), {x},
                [=](Grads& g) { g.add(0, rotate<true>(g.dy(), waves, features)); });
}

Tensor from_buckets(const Tensor& x, const Indices& buckets) {
  ATTUNE_CHECK(x.rank() >= 2 && buckets.shape().rank() == 2 &&
                   (x.size(-2) == buckets.shape()[0] || x.size(-2) == 1),
               "from_buckets: x {} does not fit buckets {}; expected [..., T, N] or [..., 1, N], "
               "and [T, S]",
               x.shape(), buckets.shape());
  check_buckets("from_buckets", buckets, x.size(-1));
  const BucketSizes n{.outer = x.shape().elements(0, x.rank() - 2),
                      .queries = buckets.shape()[0],
                      .keys = buckets.shape()[1],
                      .count = x.size(-1)};
  const bool shared = x.size(-2) == 1;
  Shape shape = x.shape();
  shape[x.rank() - 2] = n.queries;
  shape[x.rank() - 1] = n.keys;
  return record("from_buckets", pick(x.value(), buckets, n, shared, shape), {x},
                [=, entries = x.shape()](Grads& g) {
                  g.add(0, add_up(g.dy(), buckets, n, shared, entries));
                });
}

Tensor into_buckets(const Tensor& weights, const Indices& buckets, std::int64_t count) {
  ATTUNE_CHECK(
      weights.rank() >= 2 && buckets.shape() == Shape({weights.size(-2), weights.size(-1)}),
      "into_buckets: weights {} do not fit buckets {}; expected [..., T, S] and [T, S]",
      weights.shape(), buckets.shape());
  check_buckets("into_buckets", buckets, count);
  const BucketSizes n{.outer = weights.shape().elements(0, weights.rank() - 2),
                      .queries = buckets.shape()[0],
                      .keys = buckets.shape()[1],
                      .count = count};
  Shape shape = weights.shape();
  shape[weights.rank() - 1] = count;
  return record("into_buckets", add_up(weights.value(), buckets, n, /*shared=*/false, shape),
                {weights}, [=, scores = weights.shape()](Grads& g) {
                  g.add(0, pick(g.dy(), buckets, n, /*shared=*/false, scores));
                });
}

}  // namespace attune
