#pragma once

#include <cstdint>
#include <type_traits>

/// Layer normalisation of the rows of x [rows, n]. Rows are split among threads; for sums over
/// rows, columns are.
namespace attune::kernels {

struct LayerNormSizes {
  std::int64_t rows, n;
};

/// Statistics of a row that forward saves for backward. The mean is relative to the row's first
/// element, so that a small variance beside a large mean keeps its precision.
template <typename T>
struct LayerNormRow {
  T mean;   ///< of x - x[0]
  T scale;  ///< 1 / sqrt(variance + eps)

  /// False if the squares overflowed or underflowed; such a row is scaled and computed in double.
  bool plain() const { return scale > kLowest && scale < kHighest; }

 private:
  static constexpr T kLowest = std::is_same_v<T, float> ? T(1e-15) : T(1e-140);
  static constexpr T kHighest = 1 / kLowest;
};

/// y = (x - mean) scale gain + bias. If variance and eps are both 0, y is the bias.
template <typename T>
void layer_norm_forward(const LayerNormSizes& n, const T* x, const T* gain, const T* bias, T eps,
                        LayerNormRow<T>* rows, T* y);

/// With z = (x - mean) scale and d = dy gain: dx (+)= scale (d - mean(d) - z mean(d z)).
template <typename T>
void layer_norm_backward_x(const LayerNormSizes& n, const T* x, const T* gain, T eps,
                           const LayerNormRow<T>* rows, const T* dy, T* dx, bool accumulate);

/// dgain (+)= sum over rows of dy z
template <typename T>
void layer_norm_backward_gain(const LayerNormSizes& n, const T* x, T eps,
                              const LayerNormRow<T>* rows, const T* dy, T* dgain, bool accumulate);

}  // namespace attune::kernels
