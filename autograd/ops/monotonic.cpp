#include "attune/autograd/ops/monotonic.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "attune/autograd/array/parallel.h"

namespace attune {
namespace {

void check_pair(const char* op, const Tensor& a, const Tensor& b) {
  ATTUNE_CHECK(a.rank() == 2 && a.shape() == b.shape() && a.dtype() == b.dtype(),
               "{}: {} {} and {} {} do not fit; expected [B, S] of both", op, name_of(a.dtype()),
               a.shape(), name_of(b.dtype()), b.shape());
}

// Calls body(row, first element) for each row of [B, S].
template <typename Body>
void for_each_row(const Shape& shape, std::int64_t cost, const Body& body) {
  const std::int64_t n = shape[1];
  parallel_for(shape[0], row_grain(cost * n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) body(row * n);
  });
}

// The weights softmax(u_first ... u_end) of one chunk; zeros if all are -infinity.
template <typename T>
void chunk_softmax(const T* u, std::int64_t first, std::int64_t end, T* weights) {
  const T largest = *std::max_element(u + first, u + end);
  T total = 0;
  for (std::int64_t s = first; s < end; ++s) {
    weights[s - first] =
        largest == -std::numeric_limits<T>::infinity() ? T{0} : std::exp(u[s] - largest);
    total += weights[s - first];
  }
  for (std::int64_t i = 0; total != 0 && i < end - first; ++i) weights[i] /= total;
}

}  // namespace

Tensor monotonic_alignment(const Tensor& p, const Tensor& previous) {
  check_pair("monotonic_alignment", p, previous);
  const std::int64_t n = p.size(1);
  Array y(p.shape(), p.dtype()), reached(p.shape(), p.dtype());
  dispatch(p.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *stops = p.value().data<T>(), *before = previous.value().data<T>();
    T *to = y.mutable_data<T>(), *at = reached.mutable_data<T>();
    for_each_row(p.shape(), 4, [=](std::int64_t row) {
      T passing = 0;
      for (std::int64_t s = row; s < row + n; ++s) {
        at[s] = passing + before[s];
        to[s] = stops[s] * at[s];
        passing = (1 - stops[s]) * at[s];
      }
    });
  });
  return record("monotonic_alignment", std::move(y), {p, previous},
                [p = Saved(p), reached = Saved(reached), n](Grads& g) {
                  const Array dy = g.dy();
                  Array dp(dy.shape(), dy.dtype()), d_previous(dy.shape(), dy.dtype());
                  dispatch(dy.dtype(), [&](auto type) {
                    using T = decltype(type);
                    const T *stops = p->data<T>(), *at = reached->data<T>(), *d = dy.data<T>();
                    T *of_p = dp.mutable_data<T>(), *of_previous = d_previous.mutable_data<T>();
                    for_each_row(dy.shape(), 4, [=](std::int64_t row) {
                      T after = 0;  // dq_{s+1}
                      for (std::int64_t s = row + n - 1; s >= row; --s) {
                        of_p[s] = (d[s] - after) * at[s];
                        after = stops[s] * d[s] + (1 - stops[s]) * after;
                        of_previous[s] = after;
                      }
                    });
                  });
                  g.add(0, std::move(dp));
                  g.add(1, std::move(d_previous));
                });
}

Tensor chunkwise_weights(const Tensor& alignment, const Tensor& scores, std::int64_t width) {
  check_pair("chunkwise_weights", alignment, scores);
  ATTUNE_CHECK(width >= 1, "chunkwise_weights: chunks of {} positions; expected at least 1", width);
  const std::int64_t n = alignment.size(1), chunk = std::min(width, n);
  // Calls body(k, first, weights) for the chunk [first, k] at each position k of a row.
  const auto for_each_chunk = [n, chunk](auto* u, const auto& body) {
    using T = std::remove_cvref_t<decltype(*u)>;
    std::vector<T> weights(static_cast<std::size_t>(chunk));
    for (std::int64_t k = 0; k < n; ++k) {
      const std::int64_t first = std::max<std::int64_t>(0, k + 1 - chunk);
      chunk_softmax(u, first, k + 1, weights.data());
      body(k, first, weights.data());
    }
  };
  Array y = Array::zeros(alignment.shape(), alignment.dtype());
  dispatch(y.dtype(), [&](auto type) {
    using T = decltype(type);
    const T *a = alignment.value().data<T>(), *u = scores.value().data<T>();
    T* to = y.mutable_data<T>();
    for_each_row(y.shape(), 8 * chunk, [&](std::int64_t row) {
      for_each_chunk(u + row, [&](std::int64_t k, std::int64_t first, const T* weights) {
        for (std::int64_t s = first; s <= k; ++s)
          if (weights[s - first] != 0) to[row + s] += a[row + k] * weights[s - first];
      });
    });
  });
  return record(
      "chunkwise_weights", std::move(y), {alignment, scores},
      [a = Saved(alignment), u = Saved(scores), for_each_chunk, chunk](Grads& g) {
        const Array dy = g.dy();
        Array da = Array::zeros(dy.shape(), dy.dtype());
        Array du = Array::zeros(dy.shape(), dy.dtype());
        dispatch(dy.dtype(), [&](auto type) {
          using T = decltype(type);
          const T *of_a = a->data<T>(), *of_u = u->data<T>(), *d = dy.data<T>();
          T *to_a = da.mutable_data<T>(), *to_u = du.mutable_data<T>();
          for_each_row(dy.shape(), 8 * chunk, [&](std::int64_t row) {
            for_each_chunk(of_u + row, [&](std::int64_t k, std::int64_t first, const T* weights) {
              T mean = 0;
              for (std::int64_t s = first; s <= k; ++s)
                if (weights[s - first] != 0) mean += weights[s - first] * d[row + s];
              to_a[row + k] = mean;
              for (std::int64_t s = first; s <= k; ++s)
                if (weights[s - first] != 0)
                  to_u[row + s] += of_a[row + k] * weights[s - first] * (d[row + s] - mean);
            });
          });
        });
        g.add(0, std::move(da));
        g.add(1, std::move(du));
      });
}

}  // namespace attune
