#pragma once

#include <cstdint>

#include "attune/autograd/array/array.h"

namespace attune {

/// Whether a matrix operand is used as it lies or transposed.
enum class Op : bool { none, transpose };

/// C = A B + beta C on row-major matrices: A is [m, k], B is [k, n], C is [m, n] after their
/// transposes; lda, ldb, ldc are the lengths of the rows as they lie in memory. The only place that
/// calls BLAS. Large products are cut into panels of C, which depend on m, n and k alone, and each
/// panel is one single-threaded BLAS call: OpenBLAS's own threading gives other bits for another
/// number of threads.
template <typename T>
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// The same as one BLAS call, for use inside a parallel_for.
template <typename T>
void gemm_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc);

/// "OpenBLAS 0.3.21 ... SkylakeX": the library and the kernels it chose.
const char* blas_description();

}  // namespace attune
