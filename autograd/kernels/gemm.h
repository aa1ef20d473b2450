#pragma once

#include <cstdint>
#include <memory>

#include "attune/autograd/array/array.h"

namespace attune::kernels {

/// Whether a matrix operand is used as it lies or transposed.
enum class Op : bool { none, transpose };

/// C = A B + beta C on row-major matrices: A is [m, k], B is [k, n], C is [m, n] after their
/// transposes; lda, ldb, ldc are the lengths of the rows as they lie in memory.
///
/// float32 goes to our own kernel where there is one (gemm_kernel.h), everything else to OpenBLAS,
/// which is called here only. Large products are cut into panels of C that threads share out. The
/// panels depend on m, n and k alone, and each is one single-threaded call: OpenBLAS's own
/// threading gives other bits for another number of threads.
template <typename T>
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// The same on the calling thread, for use inside a parallel_for.
template <typename T>
void gemm_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// The right operand of many products, such as the weight of a recurrent cell: B [k, n] is laid out
/// for the kernel once. Where there is no kernel of our own it refers to B, which must live on.
template <typename T>
class PackedMatrix {
 public:
  PackedMatrix(Op op, std::int64_t n, std::int64_t k, const T* b, std::int64_t ldb);

  /// C = A B + beta C for A of m rows; shared out over threads unless within a parallel_for.
  void multiply(Op op_a, std::int64_t m, const T* a, std::int64_t lda, T beta, T* c,
                std::int64_t ldc) const;
  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }

 private:
  Op op_;
  std::int64_t n_, k_, ldb_;
  const T* b_;
  Array packed_;
};

/// Columns [first, first + count) of a weight [rows, columns], or their transpose, as the right
/// operand of products. They are laid out once for all uses until the weight changes
/// (Array::version), and kept with it.
template <typename T>
std::shared_ptr<const PackedMatrix<T>> packed(Op op, const Array& weight, std::int64_t first,
                                              std::int64_t count);
/// All columns.
template <typename T>
std::shared_ptr<const PackedMatrix<T>> packed(Op op, const Array& weight) {
  return packed<T>(op, weight, 0, weight.shape()[1]);
}

/// What lies behind float32 products: our own kernel, or OpenBLAS ("OpenBLAS 0.3.21 ... Zen").
const char* blas_description();

}  // namespace attune::kernels
