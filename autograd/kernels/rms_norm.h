#pragma once

#include <cstdint>

/// RMS normalisation of the rows of x [rows, n]. Rows are split among threads; for sums over rows,
/// columns are. Squares are added up in double.
namespace attune::kernels {

struct RmsNormSizes {
  std::int64_t rows, n;
};

/// y = x scale gain, with scales [rows] = 1 / sqrt(mean(x^2) + eps)
template <typename T>
void rms_norm_forward(const RmsNormSizes& n, const T* x, const T* gain, double eps, T* scales,
                      T* y);

/// With z = x scale and d = dy gain: dx (+)= scale (d - z mean(d z)).
template <typename T>
void rms_norm_backward_x(const RmsNormSizes& n, const T* x, const T* gain, const T* scales,
                         const T* dy, T* dx, bool accumulate);

/// dgain (+)= sum over rows of dy z
template <typename T>
void rms_norm_backward_gain(const RmsNormSizes& n, const T* x, const T* scales, const T* dy,
                            T* dgain, bool accumulate);

}  // namespace attune::kernels
