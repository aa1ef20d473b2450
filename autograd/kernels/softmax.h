#pragma once

#include <cstdint>

/// Softmax and log-softmax over the rows of a matrix. Rows are split among threads.
namespace attune::kernels {

/// `rows` rows of `n` elements. With lengths, only the first lengths[r / rows_per_length] elements
/// of row r take part; the others get probability 0.
struct SoftmaxRows {
  std::int64_t rows, n;
  const std::int32_t* lengths = nullptr;
  std::int64_t rows_per_length = 1;

  std::int64_t length(std::int64_t row) const {
    return lengths ? lengths[row / rows_per_length] : n;
  }
};

/// y = exp(x) / sum exp(x). A row of only -infinity gives zeros.
template <typename T>
void softmax_forward(const SoftmaxRows& rows, const T* x, T* y);

/// dx (+)= y (dy - sum y dy)
template <typename T>
void softmax_backward(const SoftmaxRows& rows, const T* y, const T* dy, T* dx, bool accumulate);

/// y = x - log sum exp(x), and -infinity where softmax gives 0: beyond a length, and in a row of
/// only -infinity.
template <typename T>
void log_softmax_forward(const SoftmaxRows& rows, const T* x, T* y);

/// dx (+)= dy - exp(y) sum dy, and 0 beyond a length and in a row of only -infinity.
template <typename T>
void log_softmax_backward(const SoftmaxRows& rows, const T* y, const T* dy, T* dx, bool accumulate);

}  // namespace attune::kernels
