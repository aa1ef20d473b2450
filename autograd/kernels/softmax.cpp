#include "attune/autograd/kernels/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/kernels/rows.h"

namespace attune::kernels {
namespace {

// Calls body(offset, length) for each row.
template <typename Body>
void for_each_row(const SoftmaxRows& rows, const Body& body) {
  parallel_for(rows.rows, row_grain(rows.n), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row) body(row * rows.n, rows.length(row));
  });
}

}  // namespace

template <typename T>
void softmax_forward(const SoftmaxRows& rows, const T* x, T* y) {
  for_each_row(rows, [&](std::int64_t offset, std::int64_t length) {
    const T* from = x + offset;
    T* to = y + offset;
    const T largest = row_max(from, length);
    if (largest == -std::numeric_limits<T>::infinity()) {
      std::fill_n(to, rows.n, T{0});
      return;
    }
    row_exp(from, largest, length, to);
    const T scale = 1 / lane_sum<T>(length, [&](std::int64_t i) { return to[i]; });
#pragma omp simd
    for (std::int64_t i = 0; i < length; ++i) to[i] *= scale;
    if (std::isnan(scale)) [[unlikely]]  // the row holds NaN or infinity
      for (std::int64_t i = 0; i < length; ++i)
        if (from[i] == -std::numeric_limits<T>::infinity()) to[i] = 0;
    std::fill_n(to + length, rows.n - length, T{0});
  });
}

template <typename T>
void softmax_backward(const SoftmaxRows& rows, const T* y, const T* dy, T* dx, bool accumulate) {
  for_each_row(rows, [&](std::int64_t offset, std::int64_t length) {
    const T* p = y + offset;
    const T* d = dy + offset;
    T* to = dx + offset;
    // Where p is 0, as for scores masked with -infinity, dy may hold anything, including NaN.
    const auto product = [p](std::int64_t i, T factor) { return p[i] == 0 ? T{0} : p[i] * factor; };
    const T mean = lane_sum<T>(length, [&](std::int64_t i) { return product(i, d[i]); });
    if (accumulate) {
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) to[i] += product(i, d[i] - mean);
    } else {
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) to[i] = product(i, d[i] - mean);
      std::fill_n(to + length, rows.n - length, T{0});
    }
  });
}

template <typename T>
void log_softmax_forward(const SoftmaxRows& rows, const T* x, T* y) {
  for_each_row(rows, [&](std::int64_t offset, std::int64_t length) {
    const T* from = x + offset;
    T* to = y + offset;
    constexpr T kNone = -std::numeric_limits<T>::infinity();
    const LogSumExp<T> sum = row_logsumexp(from, length);
    if (sum.empty()) {
      std::fill_n(to, rows.n, kNone);
      return;
    }
    row_log_probabilities(from, sum, length, to);
    std::fill_n(to + length, rows.n - length, kNone);
  });
}

template <typename T>
void log_softmax_backward(const SoftmaxRows& rows, const T* y, const T* dy, T* dx,
                          bool accumulate) {
  for_each_row(rows, [&](std::int64_t offset, std::int64_t length) {
    const T* p = y + offset;
    const T* d = dy + offset;
    T* to = dx + offset;
    constexpr T kNone = -std::numeric_limits<T>::infinity();
    if (std::all_of(p, p + length, [](T v) { return v == kNone; })) length = 0;
    const T total = lane_sum<T>(length, [&](std::int64_t i) { return d[i]; });
    if (accumulate) {
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) to[i] += d[i] - math::exp(p[i]) * total;
    } else {
#pragma omp simd
      for (std::int64_t i = 0; i < length; ++i) to[i] = d[i] - math::exp(p[i]) * total;
      std::fill_n(to + length, rows.n - length, T{0});
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                       \
  template void softmax_forward(const SoftmaxRows&, const T*, T*);                  \
  template void softmax_backward(const SoftmaxRows&, const T*, const T*, T*, bool); \
  template void log_softmax_forward(const SoftmaxRows&, const T*, T*);              \
  template void log_softmax_backward(const SoftmaxRows&, const T*, const T*, T*, bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
