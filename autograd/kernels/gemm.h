#pragma once

#include <cstdint>
#include <memory>

#include "attune/autograd/array/array.h"

namespace attune::kernels {

/// Whether a matrix operand is used as stored or transposed.
enum class Op : bool { none, transpose };

/// C = op_a(A) op_b(B) + beta C for row-major matrices, where op_a(A) is [m, k], op_b(B) [k, n] and
/// C [m, n]; lda, ldb and ldc are the row strides of A, B and C in memory, in elements. With a
/// `bias` [n], which is added to each row, C is not read, and beta has to be 0.
///
/// float32 uses Attune's own kernel where it is available (gemm_kernel.h), all else OpenBLAS, which
/// is not called from any other source. Large products are split into panels of C that are computed
/// in parallel. Panels depend only on m, n and k, and each is one single-threaded call, since the
/// results of OpenBLAS's own threading depend on the number of threads.
template <typename T>
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc,
          const T* bias = nullptr);

/// The same product without a bias, on the calling thread only, for use inside a parallel_for.
template <typename T>
void gemm_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// C = A op_b(B) + beta C for a single row A [k] and a matrix B whose rows lie anywhere in memory:
/// row i begins at b[i] + offset. Has the bits of gemm_panel(). For float32, and defined only with
/// Attune's own kernel.
void gemm_scattered(Op op_b, std::int64_t n, std::int64_t k, const float* a, const float* const* b,
                    std::int64_t offset, float beta, float* c);

/// A matrix B [k, n], packed once to be the right operand of many products, such as the weight of a
/// recurrent cell. Where Attune's own kernel is not used, this only points to B, which must outlive
/// it.
template <typename T>
class PackedMatrix {
 public:
  PackedMatrix(Op op, std::int64_t n, std::int64_t k, const T* b, std::int64_t ldb);

  /// C = op_a(A) B + beta C, or + bias as in gemm(), where op_a(A) has m rows; parallel unless
  /// called inside a parallel_for.
  void multiply(Op op_a, std::int64_t m, const T* a, std::int64_t lda, T beta, T* c,
                std::int64_t ldc, const T* bias = nullptr) const;
  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }

 private:
  Op op_;
  std::int64_t n_, k_, ldb_;
  const T* b_;
  Array packed_;
};

/// Columns [first, first + count) of a weight [rows, columns], or their transpose, packed as a
/// right operand. With Attune's own kernel the packed form is cached with the weight's memory until
/// the weight changes (Array::version). Without `make`, null if there is none yet.
template <typename T>
std::shared_ptr<const PackedMatrix<T>> packed(Op op, const Array& weight, std::int64_t first,
                                              std::int64_t count, bool make = true);
/// The same for all columns.
template <typename T>
std::shared_ptr<const PackedMatrix<T>> packed(Op op, const Array& weight) {
  return packed<T>(op, weight, 0, weight.shape()[1]);
}

/// Whether each row of a float32 product has the same bits for any number of rows, as with Attune's
/// own kernel; with OpenBLAS alone it has not.
bool rows_are_independent();

/// The implementation of matrix products, for logs: Attune's own kernel and OpenBLAS, or OpenBLAS
/// alone ("OpenBLAS 0.3.21 ... Zen").
const char* blas_description();

}  // namespace attune::kernels
