#pragma once

#include <cstdint>

/// Layer normalisation of the rows of x [rows, n]. Rows, or columns where sums run over rows, are
/// shared out over threads.
namespace attune {

struct LayerNormSizes {
  std::int64_t rows, n;
};

/// What forward leaves of a row for backward.
template <typename T>
struct LayerNormRow {
  T mean, scale;  ///< scale = 1 / sqrt(variance + eps)
};

/// y = (x - mean) scale gain + bias
template <typename T>
void layer_norm_forward(const LayerNormSizes& n, const T* x, const T* gain, const T* bias, T eps,
                        LayerNormRow<T>* rows, T* y);

/// With z = (x - mean) scale and d = dy gain: dx (+)= scale (d - mean(d) - z mean(d z)).
template <typename T>
void layer_norm_backward_x(const LayerNormSizes& n, const T* x, const T* gain,
                           const LayerNormRow<T>* rows, const T* dy, T* dx, bool accumulate);

/// dgain (+)= sum over rows of dy z
template <typename T>
void layer_norm_backward_gain(const LayerNormSizes& n, const T* x, const LayerNormRow<T>* rows,
                              const T* dy, T* dgain, bool accumulate);

}  // namespace attune
