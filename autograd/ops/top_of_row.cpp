#include "attune/autograd/ops/top_of_row.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>

#include "attune/autograd/kernels/rows.h"

namespace attune {
namespace {

constexpr std::int64_t kBlock = 256;

// Whether the element at position a comes before that at b.
template <typename T>
auto comes_before(const T* x) {
  return [x](int a, int b) { return x[a] > x[b] || (x[a] == x[b] && a < b); };
}

// All positions are sorted if many are asked for.
template <typename T>
std::vector<int> sorted_positions(const T* x, std::int64_t n, std::int64_t k) {
  std::vector<int> all(static_cast<std::size_t>(n));
  std::iota(all.begin(), all.end(), 0);
  std::partial_sort(all.begin(), all.begin() + k, all.end(), comes_before(x));
  all.resize(static_cast<std::size_t>(k));
  return all;
}

// `maxima` are those of each block. No more than k blocks have a larger one than the k-th largest,
// which bounds the k-th largest element from below, so few blocks are looked at.
template <typename T>
std::vector<int> top_positions(const T* x, std::int64_t n, std::int64_t k,
                               const std::vector<T>& maxima) {
  T bound = -std::numeric_limits<T>::infinity();
  if (std::ssize(maxima) >= k) {
    std::vector<T> sorted = maxima;
    std::nth_element(sorted.begin(), sorted.begin() + (k - 1), sorted.end(), std::greater<>());
    bound = sorted[static_cast<std::size_t>(k - 1)];
  }
  std::vector<int> best;
  best.reserve(static_cast<std::size_t>(k) + 1);
  constexpr int kLanes = 16;
  for (std::size_t block = 0; block < maxima.size(); ++block) {
    if (maxima[block] < bound) continue;
    const auto first = static_cast<int>(block) * static_cast<int>(kBlock);
    const auto last = static_cast<int>(std::min<std::int64_t>(n, first + kBlock));
    for (int group = first; group < last; group += kLanes) {
      const int end = std::min(last, group + kLanes);
      if (end - group == kLanes && !kernels::row_reaches(x + group, kLanes, bound)) continue;
      for (int i = group; i < end; ++i) {
        if (x[i] < bound) continue;
        best.insert(std::upper_bound(best.begin(), best.end(), i, comes_before(x)), i);
        if (std::ssize(best) > k) best.pop_back();
        if (std::ssize(best) == k) bound = std::max(bound, x[best.back()]);
      }
    }
  }
  return best;
}

template <typename T>
TopOfRow top(const T* x, std::int64_t n, std::int64_t k) {
  std::vector<T> maxima;
  maxima.reserve(static_cast<std::size_t>((n + kBlock - 1) / kBlock));
  for (std::int64_t first = 0; first < n; first += kBlock) {
    // A block is fetched two blocks ahead: a row of logits is often in the L3 cache only.
    constexpr std::int64_t kLine = 64 / sizeof(T);
    for (std::int64_t i = first + 2 * kBlock; i < std::min(n, first + 3 * kBlock); i += kLine)
      __builtin_prefetch(x + i);
    maxima.push_back(kernels::row_max(x + first, std::min(kBlock, n - first)));
  }
  const T largest = kernels::row_max(maxima.data(), std::ssize(maxima));
  constexpr std::int64_t kFew = 64;
  k = std::isnan(largest) ? 0 : std::min(k, n);  // NaN has no order
  return {k == 0      ? std::vector<int>()
          : k <= kFew ? top_positions(x, n, k, maxima)
                      : sorted_positions(x, n, k),
          static_cast<double>(kernels::row_logsumexp(x, n, largest).value())};
}

}  // namespace

TopOfRow top_of_row(const Tensor& x, std::int64_t row, std::int64_t n, std::int64_t k) {
  return dispatch(x.dtype(), [&](auto type) {
    return top(x.value().data<decltype(type)>() + row * x.size(1), n, k);
  });
}

}  // namespace attune
