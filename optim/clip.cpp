#include "attune/optim/clip.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "attune/autograd/array/parallel.h"

namespace attune {
namespace {

// The sum of (value / unit)^2 over all values.
template <typename T>
double sum_of_squares(const T* values, std::int64_t n, double unit) {
  constexpr int kLanes = 16;  // independent partial sums, which the compiler can vectorise
  const double scale = 1 / unit;
  double lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int lane = 0; lane < kLanes; ++lane) {
      const double value = static_cast<double>(values[i + lane]) * scale;
      lanes[lane] += value * value;
    }
  for (; i < n; ++i) {
    const double value = static_cast<double>(values[i]) * scale;
    lanes[0] += value * value;
  }
  return std::accumulate(lanes, lanes + kLanes, 0.0);
}

double sum_of_squares(const Array& array, double unit) {
  const std::int64_t n = array.elements();
  return dispatch(array.dtype(), [&](auto type) {
    const auto* values = array.data<decltype(type)>();
    std::vector<double> parts(static_cast<std::size_t>((n + kElementGrain - 1) / kElementGrain));
    parallel_for(n, kElementGrain, [&](std::int64_t first, std::int64_t last) {
      parts[static_cast<std::size_t>(first / kElementGrain)] =
          sum_of_squares(values + first, last - first, unit);
    });
    return std::accumulate(parts.begin(), parts.end(), 0.0);
  });
}

// Replaces every element g of every gradient by f(g). The function f for the gradient's dtype is
// what make_f returns for a number of that type.
template <typename MakeF>
void change_gradients(const Parameters& parameters, const MakeF& make_f) {
  for (const auto& parameter : parameters) {
    Array gradient = parameter.value.grad();
    if (!gradient.defined()) continue;
    dispatch(gradient.dtype(), [&](auto type) {
      auto* values = gradient.mutable_data<decltype(type)>();
      const auto f = make_f(type);
      parallel_for(gradient.elements(), kElementGrain, [&](std::int64_t first, std::int64_t last) {
        std::transform(values + first, values + last, values + first, f);
      });
    });
  }
}

}  // namespace

double clip_grad_norm(const Parameters& parameters, double max_norm) {
  const RecordFunction span("clip_grad_norm");
  ATTUNE_CHECK(max_norm > 0, "clip_grad_norm: max_norm is {}; expected more than 0", max_norm);
  // The squares of float64 gradients may overflow or underflow although the norm does not. The sum
  // is then computed again with scaled gradients.
  const auto norm_in = [&](double unit) {
    double sum = 0;
    for (const auto& parameter : parameters) {
      const Array gradient = parameter.value.grad();
      if (gradient.defined()) sum += sum_of_squares(gradient, unit);
    }
    return unit * std::sqrt(sum);
  };
  double norm = norm_in(1);
  if (std::isinf(norm))
    norm = norm_in(0x1p1000);
  else if (norm < 0x1p-500)
    norm = norm_in(0x1p-1000);
  const double factor = max_norm / (norm + 1e-6);
  if (std::isfinite(norm) && factor < 1)
    change_gradients(parameters, [factor](auto type) {
      using T = decltype(type);
      // In double: the factor for a huge norm is subnormal in float32 and would lose precision.
      return [factor](T g) { return static_cast<T>(static_cast<double>(g) * factor); };
    });
  return norm;
}

void clip_grad_value(const Parameters& parameters, double limit) {
  const RecordFunction span("clip_grad_value");
  ATTUNE_CHECK(limit > 0, "clip_grad_value: the limit is {}; expected more than 0", limit);
  change_gradients(parameters, [limit](auto type) {
    using T = decltype(type);
    return [limit = static_cast<T>(limit)](T g) { return std::clamp(g, -limit, limit); };
  });
}

}  // namespace attune
