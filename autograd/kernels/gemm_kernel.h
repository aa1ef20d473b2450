#pragma once

#include <cstdint>

/// Attune's own single-precision matrix product, for processors with wide fused multiply-add: the
/// inner kernel and the packed layout of B that it reads, after Goto and van de Geijn 2008
/// ("Anatomy of High-Performance Matrix Multiplication"). It is as fast as OpenBLAS on large
/// products and up to 40% faster on the 32 to 64 rows of a recurrent step, where OpenBLAS packs the
/// weight again at every step; here it is packed once (PackedMatrix in gemm.h).
///
/// Each element of C is summed over k in the same order, whichever tile or thread computes it, so a
/// product has the same bits however it is partitioned.
namespace attune::kernels::gemm_kernel {

/// 0 if the build does not target FMA instructions (generic x86-64), on other processors, and
/// without GCC vector extensions. Products use OpenBLAS then.
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

/// Block size along k. C is read and written once per block, while a block of rows of A stays in
/// the L2 cache.
inline constexpr std::int64_t kDepth = 512;

/// An unpacked operand. Element (i, p), with i the row of A or the column of B and p the position
/// along k, is data[i * row_length + p] if `along_k`, else data[p * row_length + i].
struct Operand {
  const float* data;
  std::int64_t row_length;
  bool along_k;

  /// The operand from element (i, p) on.
  Operand from(std::int64_t i, std::int64_t p) const {
    return {along_k ? data + i * row_length + p : data + p * row_length + i, row_length, along_k};
  }
  /// The elements that lie beside each other: those of row or column i if `along_k`, else those at
  /// position i along k.
  const float* line(std::int64_t i) const { return data + i * row_length; }
};

/// What is added to a product, with the element (i, j) data[i * row_length + j]: C itself, or one
/// row, such as a bias, with row_length 0. Nothing if data is null.
struct Addend {
  const float* data = nullptr;
  std::int64_t row_length = 0;

  /// The addend from element (i, j) on.
  Addend from(std::int64_t i, std::int64_t j) const {
    return data ? Addend{data + i * row_length + j, row_length} : Addend{};
  }
};

/// Packs columns [0, n) of B into panels [k, kColumns], with zeros beyond n. `packed` must be
/// 64-byte aligned and have room for whole panels.
void pack_b(std::int64_t n, std::int64_t k, const Operand& b, float* packed);

/// C = A B + addend. B [k, n] is packed by pack_b(); C [m, n] is row-major.
void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const Operand& a, const float* b,
              const Addend& addend, float* c, std::int64_t ldc);

/// The same for 1 to kFewRows rows of A, along k, and B unpacked: for a product that is too small
/// for packing to pay off.
inline constexpr int kFewRows = 5;
void multiply_few_rows(std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                       std::int64_t row_length, const Operand& b, const Addend& addend, float* c,
                       std::int64_t ldc);

/// An unpacked B whose columns, if `along_k`, else rows, lie anywhere in memory: element (j, p) is
/// lines[j][p + offset] if `along_k`, else lines[p][j + offset].
struct ScatteredOperand {
  const float* const* lines;
  std::int64_t offset;
  bool along_k;

  const float* line(std::int64_t i) const { return lines[i] + offset; }
  /// The operand from element (j, p) on.
  ScatteredOperand from(std::int64_t j, std::int64_t p) const {
    return along_k ? ScatteredOperand{lines + j, offset + p, true}
                   : ScatteredOperand{lines + p, offset + j, false};
  }
};

/// The same for one row of A and a scattered B.
void multiply_one_row(std::int64_t n, std::int64_t k, const float* a, const ScatteredOperand& b,
                      const Addend& addend, float* c);

}  // namespace attune::kernels::gemm_kernel
