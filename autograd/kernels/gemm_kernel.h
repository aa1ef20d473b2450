#pragma once

#include <cstdint>

/// Our own single-precision matrix product, for processors with wide fused multiply-add: the inner
/// kernel and the layout of B that it reads ("packed"), after Goto and van de Geijn 2008 ("Anatomy
/// of High-Performance Matrix Multiplication"). It is as fast as OpenBLAS on large products and up
/// to 40% faster on the 32 to 64 rows of a recurrent step, where OpenBLAS packs the weight anew at
/// every step and here it is packed once (PackedMatrix in gemm.h).
///
/// Every element of C is one sum over k in one order, whatever tile or thread it falls to: a
/// product has the same bits however it is cut up.
namespace attune::kernels::gemm_kernel {

/// 0 where the compiler may not use FMA instructions (a build for any x86-64), on other processors,
/// and without GCC's vector types: products go to OpenBLAS there.
#if defined(__GNUC__) && (defined(__AVX512F__) || (defined(__AVX2__) && defined(__FMA__)))
#define ATTUNE_GEMM_KERNEL 1
#else
#define ATTUNE_GEMM_KERNEL 0
#endif
inline constexpr bool kAvailable = ATTUNE_GEMM_KERNEL;

#if defined(__AVX512F__)
inline constexpr int kLanes = 16, kRows = 8;  // 16 of 32 registers hold a tile of C
#else
inline constexpr int kLanes = 8, kRows = 6;  // 12 of 16
#endif
inline constexpr int kColumns = 2 * kLanes;

/// Products are summed in blocks of so many k: C is read and written once a block, and some rows of
/// A stay in the second cache meanwhile.
inline constexpr std::int64_t kDepth = 512;

/// An operand as it lies in memory. Along k: number (i, p) is data[i * row_length + p], with i the
/// row of A or the column of B; otherwise it is data[p * row_length + i].
struct Operand {
  const float* data;
  std::int64_t row_length;
  bool along_k;

  /// The same from number (i, p) on.
  Operand from(std::int64_t i, std::int64_t p) const {
    return {along_k ? data + i * row_length + p : data + p * row_length + i, row_length, along_k};
  }
};

/// Columns [0, n) of B as panels of kColumns columns, each [k, kColumns] with zeros beyond n.
/// `packed` is 64-byte aligned and has room for whole panels.
void pack_b(std::int64_t n, std::int64_t k, const Operand& b, float* packed);

/// C = A B, or C += A B with `add`, for B [k, n] packed; C [m, n] is row-major.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const Operand& a, const float* b,
              bool add, float* c, std::int64_t ldc);

}  // namespace attune::kernels::gemm_kernel
