#include "attune/autograd/kernels/attention.h"

#include <algorithm>

#include "attune/autograd/array/array.h"
#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/work.h"
#include "attune/autograd/kernels/math.h"
#include "attune/autograd/kernels/reduce.h"
#include "attune/autograd/kernels/vector.h"

namespace attune::kernels {
namespace {

// Calls body(b) for each batch row. `cost` is the time per element, in multiplications; `flops` are
// those of products per element.
template <typename Body>
void for_each_row(const AttentionSizes& n, std::int64_t cost, std::int64_t flops,
                  const Body& body) {
  Work::add_flops(flops * n.sources * n.batch * n.features);
  parallel_for(n.batch, row_grain(n.sources * n.features * cost),
               [&](std::int64_t first, std::int64_t last) {
                 for (std::int64_t b = first; b < last; ++b) body(b);
               });
}

constexpr std::int64_t kTanhCost = 4;

}  // namespace

template <typename T>
void rows_dot(const AttentionSizes& n, const T* rows, const T* sequence, T* scores) {
  for_each_row(n, 1, 2, [&](std::int64_t b) {
    for (std::int64_t s = 0; s < n.sources; ++s)
      scores[b * n.sources + s] =
          dot(rows + b * n.features, sequence + (s * n.batch + b) * n.features, n.features);
  });
}

template <typename T>
void rows_combine(const AttentionSizes& n, const T* weights, const T* sequence, T* rows,
                  bool accumulate) {
  for_each_row(n, 1, 2, [&](std::int64_t b) {
    T* row = rows + b * n.features;
    if (!accumulate) std::fill_n(row, n.features, T{0});
    for (std::int64_t s = 0; s < n.sources; ++s) {
      const T weight = weights[b * n.sources + s];
      if (weight == 0) continue;
      axpy(n.features, weight, sequence + (s * n.batch + b) * n.features, row);
    }
  });
}

template <typename T>
void rows_spread(const AttentionSizes& n, const T* weights, const T* rows, T* sequence,
                 bool accumulate) {
  for_each_row(n, 1, 2, [&](std::int64_t b) {
    for (std::int64_t s = 0; s < n.sources; ++s) {
      const T weight = weights[b * n.sources + s];
      T* to = sequence + (s * n.batch + b) * n.features;
      if (weight != 0)
        axpy(n.features, weight, rows + b * n.features, to, accumulate);
      else if (!accumulate)
        std::fill_n(to, n.features, T{0});
    }
  });
}

template <typename T>
void additive_forward(const AttentionSizes& n, const T* query, const T* keys, const T* v,
                      T* scores) {
  for_each_row(n, kTanhCost, 2, [&](std::int64_t b) {
    const T* q = query + b * n.features;
    for (std::int64_t s = 0; s < n.sources; ++s) {
      const T* k = keys + (s * n.batch + b) * n.features;
      scores[b * n.sources + s] =
          lane_sum<T>(n.features, [=](std::int64_t i) { return v[i] * math::tanh(k[i] + q[i]); });
    }
  });
}

template <typename T>
void additive_backward(const AttentionSizes& n, const T* query, const T* keys, const T* v,
                       const T* dscores, Target<T> dquery, Target<T> dkeys, Target<T> dv) {
  const std::int64_t f = n.features;
  // v is shared by all batch rows: each row computes its own dv, and these are summed in order
  // below.
  Array scratch(Shape{3, n.batch, f}, dtype_of<T>);
  T* dq_rows = scratch.mutable_data<T>();
  T* dv_rows = dq_rows + n.batch * f;
  T* dk_rows = dv_rows + n.batch * f;
  for_each_row(n, kTanhCost, 4, [&](std::int64_t b) {
    const T* q = query + b * f;
    T* dq = dq_rows + b * f;
    T* dv_b = dv_rows + b * f;
    std::fill_n(dq, f, T{0});
    std::fill_n(dv_b, f, T{0});
    for (std::int64_t s = 0; s < n.sources; ++s) {
      const T d = dscores[b * n.sources + s];
      const T* k = keys + (s * n.batch + b) * f;
      T* dk = dkeys.data ? dkeys.data + (s * n.batch + b) * f : dk_rows + b * f;
      if (!dkeys.data || !dkeys.accumulate) std::fill_n(dk, f, T{0});
      if (d == 0) continue;  // as beyond a sequence's length
#pragma omp simd
      for (std::int64_t i = 0; i < f; ++i) {
        const T t = math::tanh(k[i] + q[i]);
        const T p = d * v[i] * (1 - t * t);
        dq[i] += p;
        dk[i] += p;
        dv_b[i] += d * t;
      }
    }
  });
  if (dquery.data) {
    for (std::int64_t i = 0; i < n.batch * f; ++i)
      dquery.data[i] = dquery.accumulate ? dquery.data[i] + dq_rows[i] : dq_rows[i];
  }
  if (dv.data) sum_axis<T>(dv_rows, AxisLayout(1, n.batch, f), dv.data, dv.accumulate);
}

#define ATTUNE_INSTANTIATE(T)                                                                    \
  template void rows_dot(const AttentionSizes&, const T*, const T*, T*);                         \
  template void rows_combine(const AttentionSizes&, const T*, const T*, T*, bool);               \
  template void rows_spread(const AttentionSizes&, const T*, const T*, T*, bool);                \
  template void additive_forward(const AttentionSizes&, const T*, const T*, const T*, T*);       \
  template void additive_backward(const AttentionSizes&, const T*, const T*, const T*, const T*, \
                                  Target<T>, Target<T>, Target<T>)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
