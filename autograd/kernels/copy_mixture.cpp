#include "attune/autograd/kernels/copy_mixture.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "attune/autograd/array/parallel.h"

namespace attune::kernels {
namespace {

template <typename T>
void forward_row(const CopyMixtureSizes& n, const CopyMixture<T>& x, std::int64_t row,
                 LogSumExp<T>& sum, T* y) {
  const T* logits = x.logits + row * n.generated;
  sum = row_logsumexp(logits, n.generated);
  if (sum.empty())
    std::fill_n(y, n.generated, T{0});
  else
    row_probabilities(logits, sum, n.generated, y);
  const T generate = x.generate[row];
#pragma omp simd
  for (std::int64_t i = 0; i < n.generated; ++i) y[i] *= generate;
  std::fill(y + n.generated, y + n.tokens, T{0});
  const T* copies = x.copies + row * n.positions;
  const std::int32_t* tokens = x.tokens + row % n.batch * n.positions;
  for (std::int64_t s = 0; s < n.positions; ++s)
    if (copies[s] != 0) y[tokens[s]] += copies[s];
  const T least = x.least, log_least = std::log(least);
#pragma omp simd
  for (std::int64_t i = 0; i < n.tokens; ++i) y[i] = y[i] < least ? log_least : math::log(y[i]);
}

// `dp` has room for N numbers.
template <typename T>
void backward_row(const CopyMixtureSizes& n, const CopyMixture<T>& x, std::int64_t row,
                  const LogSumExp<T>& sum, const T* y, const T* dy, T* dp, T* dlogits, T& dgenerate,
                  T* dcopies) {
  dgenerate = 0;
  if (std::all_of(dy, dy + n.tokens, [](T d) { return d == 0; })) {  // the rest may be NaN
    std::fill_n(dcopies, n.positions, T{0});
    return;
  }
  const T log_least = std::log(x.least);
#pragma omp simd
  for (std::int64_t i = 0; i < n.tokens; ++i)  // dy / p
    dp[i] = ((dy[i] == 0) | (y[i] <= log_least)) ? T{0} : dy[i] * math::exp(-y[i]);
  const std::int32_t* tokens = x.tokens + row % n.batch * n.positions;
  for (std::int64_t s = 0; s < n.positions; ++s) dcopies[s] = dp[tokens[s]];
  if (sum.empty()) return;
  const T* logits = x.logits + row * n.generated;
  const T largest = sum.largest, log_total = sum.log_total, generate = x.generate[row];
  const auto p = [=](std::int64_t i) { return math::exp((logits[i] - largest) - log_total); };
  const T mean = lane_sum<T>(n.generated, [=](std::int64_t i) { return p(i) * dp[i]; });
#pragma omp simd
  for (std::int64_t i = 0; i < n.generated; ++i) dlogits[i] += generate * p(i) * (dp[i] - mean);
  dgenerate = mean;
}

}  // namespace

template <typename T>
void copy_mixture_forward(const CopyMixtureSizes& n, const CopyMixture<T>& x, LogSumExp<T>* sums,
                          T* y) {
  parallel_for(n.rows, row_grain(n.tokens), [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t row = first; row < last; ++row)
      forward_row(n, x, row, sums[row], y + row * n.tokens);
  });
}

template <typename T>
void copy_mixture_backward(const CopyMixtureSizes& n, const CopyMixture<T>& x,
                           const LogSumExp<T>* sums, const T* y, const T* dy, T* dlogits,
                           bool accumulate, T* dgenerate, T* dcopies) {
  parallel_for(n.rows, row_grain(n.tokens), [&](std::int64_t first, std::int64_t last) {
    std::vector<T> dp(static_cast<std::size_t>(n.tokens));
    for (std::int64_t row = first; row < last; ++row) {
      T* to = dlogits + row * n.generated;
      if (!accumulate) std::fill_n(to, n.generated, T{0});
      backward_row(n, x, row, sums[row], y + row * n.tokens, dy + row * n.tokens, dp.data(), to,
                   dgenerate[row], dcopies + row * n.positions);
    }
  });
}

#define ATTUNE_INSTANTIATE(T)                                                         \
  template void copy_mixture_forward(const CopyMixtureSizes&, const CopyMixture<T>&,  \
                                     LogSumExp<T>*, T*);                              \
  template void copy_mixture_backward(const CopyMixtureSizes&, const CopyMixture<T>&, \
                                      const LogSumExp<T>*, const T*, const T*, T*, bool, T*, T*)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

}  // namespace attune::kernels
