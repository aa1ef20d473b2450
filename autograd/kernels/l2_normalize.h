#pragma once

#include <cstdint>

/// Scales the rows of x [rows, n] to unit L2 norm. Rows are split among threads.
namespace attune::kernels {

struct L2NormalizeSizes {
  std::int64_t rows, n;
};

/// y = scale x, scales [rows] = 1 / sqrt(|x|^2 + eps)
template <typename T>
void l2_normalize_forward(const L2NormalizeSizes& n, const T* x, double eps, T* scales, T* y);

/// dx (+)= scale (dy - y (y . dy)); 0 for a row whose dy is all 0, even if y holds NaN.
template <typename T>
void l2_normalize_backward(const L2NormalizeSizes& n, const T* y, const T* scales, const T* dy,
                           T* dx, bool accumulate);

}  // namespace attune::kernels
