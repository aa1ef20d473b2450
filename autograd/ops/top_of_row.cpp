#include "attune/autograd/ops/top_of_row.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/autograd/kernels/rows.h"

namespace attune {
namespace {

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

// Adds those of positions [first, last) that are among the k largest so far to `best`.
template <typename T>
void add_positions(const T* x, int first, int last, std::size_t k, std::vector<int>& best) {
  constexpr int kLanes = 16;
  for (int group = first; group < last; group += kLanes) {
    const int end = std::min(last, group + kLanes);
    if (best.size() == k && end - group == kLanes &&
        !kernels::row_reaches(x + group, kLanes, x[best.back()]))
      continue;
    for (int i = group; i < end; ++i) {
      if (best.size() == k) {
        if (!(x[i] > x[best.back()])) continue;
        best.pop_back();
      }
      best.insert(std::upper_bound(best.begin(), best.end(), i, comes_before(x)), i);
    }
  }
}

template <typename T>
TopOfRow top(const T* x, std::int64_t n, std::int64_t k) {
  constexpr std::int64_t kFew = 64, kBlock = kernels::RunningLogSumExp<T>::kBlock;
  k = std::min(k, n);
  const std::int64_t few = k <= kFew ? k : 0;
  TopOfRow found;
  kernels::RunningLogSumExp<T> sum;
  for (std::int64_t first = 0; first < n; first += kBlock) {
    const std::int64_t last = std::min(n, first + kBlock);
    const T largest = kernels::row_max(x + first, last - first);
    sum.add(x + first, last - first, largest);
    if (few > 0 && (std::ssize(found.positions) < few || largest > x[found.positions.back()]))
      add_positions(x, static_cast<int>(first), static_cast<int>(last),
                    static_cast<std::size_t>(few), found.positions);
  }
  found.log_sum = static_cast<double>(sum.result().value());
  if (std::isnan(found.log_sum))
    found.positions.clear();  // NaN has no order
  else if (k > kFew)
    found.positions = sorted_positions(x, n, k);
  return found;
}

}  // namespace

TopOfRow top_of_row(const Tensor& x, std::int64_t row, std::int64_t n, std::int64_t k) {
  return dispatch(x.dtype(), [&](auto type) {
    return top(x.value().data<decltype(type)>() + row * x.size(1), n, k);
  });
}

}  // namespace attune
