#include "attune/autograd/ops/top_of_row.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "attune/autograd/kernels/rows.h"

namespace attune {
namespace {

// Adds the positions in [first, last) of elements that are at least `bound`.
template <typename T>
void add_positions(const T* x, std::int64_t first, std::int64_t last, T bound,
                   std::vector<int>& positions) {
  constexpr std::int64_t kGroup = 16;
  for (std::int64_t group = first; group < last; group += kGroup) {
    const std::int64_t end = std::min(last, group + kGroup);
    if (end - group == kGroup && !kernels::row_reaches(x + group, kGroup, bound)) continue;
    for (std::int64_t i = group; i < end; ++i)
      if (x[i] >= bound) positions.push_back(static_cast<int>(i));
  }
}

template <typename T>
TopOfRow top(const T* x, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t kBlock = kernels::RunningLogSumExp<T>::kBlock;
  k = std::min(k, n);
  std::vector<T> maxima;  // of the blocks
  kernels::RunningLogSumExp<T> sum;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t count = std::min(kBlock, n - first);
    maxima.push_back(kernels::row_max(x + first, count));
    sum.add(x + first, count, maxima.back());
  }
  TopOfRow found;
  found.log_sum = static_cast<double>(sum.result().value());
  if (k == 0 || std::isnan(found.log_sum)) return found;  // NaN has no order
  // At least k elements reach the k-th largest maximum.
  T bound = -std::numeric_limits<T>::infinity();
  if (k <= std::ssize(maxima)) {
    std::vector<T> largest = maxima;
    std::nth_element(largest.begin(), largest.begin() + (k - 1), largest.end(), std::greater<>());
    bound = largest[static_cast<std::size_t>(k - 1)];
  }
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    const auto first = static_cast<std::int64_t>(block) * kBlock;
    if (maxima[block] >= bound)
      add_positions(x, first, std::min(n, first + kBlock), bound, found.positions);
  }
  const auto comes_before = [x](int a, int b) { return x[a] > x[b] || (x[a] == x[b] && a < b); };
  std::partial_sort(found.positions.begin(), found.positions.begin() + k, found.positions.end(),
                    comes_before);
  found.positions.resize(static_cast<std::size_t>(k));
  return found;
}

}  // namespace

TopOfRow top_of_row(const Tensor& x, std::int64_t row, std::int64_t n, std::int64_t k) {
  return dispatch(x.dtype(), [&](auto type) {
    return top(x.value().data<decltype(type)>() + row * x.size(1), n, k);
  });
}

}  // namespace attune
