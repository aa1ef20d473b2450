#include "attune/autograd/kernels/gemm_kernel.h"

#if ATTUNE_GEMM_KERNEL

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "attune/autograd/array/array.h"

namespace attune::kernels::gemm_kernel {
namespace {

// GCC vector extensions: each operation on a Vector is one instruction.
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef Vector Unaligned __attribute__((aligned(sizeof(float))));

constexpr int kVectors = kColumns / kLanes;

// Computes R rows by kColumns columns of C, with the sums in registers for all of k. Rows of B are
// b_step elements apart.
template <int R, bool kAlongK>
void tile(std::int64_t k, const float* a, std::int64_t row_length, const float* b,
          std::int64_t b_step, bool add, float* c, std::int64_t ldc) {
  Vector sums[R][kVectors] = {};
  // Prefetch C, which is needed only at the end.
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < kVectors; ++j) __builtin_prefetch(c + i * ldc + j * kLanes, 1);
#pragma GCC unroll 1
  for (std::int64_t p = 0; p < k; ++p, b += b_step) {
    Vector row[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) row[j] = *reinterpret_cast<const Unaligned*>(b + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < R; ++i) {
      const float factor = kAlongK ? a[i * row_length + p] : a[p * row_length + i];
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j) sums[i][j] += factor * row[j];
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      Unaligned* to = reinterpret_cast<Unaligned*>(c + i * ldc + j * kLanes);
      *to = add ? *to + sums[i][j] : sums[i][j];
    }
}

// Computes one row by kPanels panels of C: with a single panel, each sum would wait for the one
// before it.
constexpr int kPanels = 4;
template <bool kAlongK>
void wide_tile(std::int64_t k, const float* a, std::int64_t row_length, const float* b, bool add,
               float* c) {
  Vector sums[kPanels][kVectors] = {};
#pragma GCC unroll 1
  for (std::int64_t p = 0; p < k; ++p) {
    const float factor = kAlongK ? a[p] : a[p * row_length];
#pragma GCC unroll 8
    for (int i = 0; i < kPanels; ++i)
#pragma GCC unroll 8
      for (int j = 0; j < kVectors; ++j)
        sums[i][j] +=
            factor * *reinterpret_cast<const Unaligned*>(b + (i * k + p) * kColumns + j * kLanes);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kPanels; ++i)
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      Unaligned* to = reinterpret_cast<Unaligned*>(c + i * kColumns + j * kLanes);
      *to = add ? *to + sums[i][j] : sums[i][j];
    }
}

using Tile = void (*)(std::int64_t, const float*, std::int64_t, const float*, std::int64_t, bool,
                      float*, std::int64_t);

template <bool kAlongK, int... R>
constexpr std::array<Tile, kRows> make_tiles(std::integer_sequence<int, R...>) {
  return {tile<R + 1, kAlongK>...};
}
constexpr std::array<Tile, kRows> kTiles[2] = {
    make_tiles<false>(std::make_integer_sequence<int, kRows>()),
    make_tiles<true>(std::make_integer_sequence<int, kRows>())};

// Transposes an N x N block in log2(N) rounds: round S swaps blocks of S elements between rows that
// are S apart.
template <int S, typename Block, int N, int... Lane>
inline void swap_blocks(Block (&rows)[N], std::integer_sequence<int, Lane...>) {
#pragma GCC unroll 16
  for (int i = 0; i < N; ++i) {
    if (i & S) continue;
    const Block upper = rows[i], lower = rows[i + S];
    rows[i] = __builtin_shufflevector(upper, lower, (Lane & S ? N + Lane - S : Lane)...);
    rows[i + S] = __builtin_shufflevector(upper, lower, (Lane & S ? N + Lane : Lane + S)...);
  }
}
template <typename Block, int N>
inline void transpose(Block (&rows)[N]) {
  constexpr std::make_integer_sequence<int, N> kLane;
  swap_blocks<1>(rows, kLane);
  swap_blocks<2>(rows, kLane);
  swap_blocks<4>(rows, kLane);
  if constexpr (N == 16) swap_blocks<8>(rows, kLane);
}

// Packs one panel of B whose `count` columns are contiguous along k, by transposing square blocks.
void pack_along_k(std::int64_t count, std::int64_t k, const Operand& b, float* packed) {
  for (std::int64_t first = 0; first < kColumns; first += kLanes) {
    const std::int64_t here = std::clamp<std::int64_t>(count - first, 0, kLanes);
    std::int64_t p = 0;
    for (; p + kLanes <= k; p += kLanes) {
      Vector block[kLanes] = {};
#pragma GCC unroll 1
      for (std::int64_t i = 0; i < here; ++i)
        block[i] = *reinterpret_cast<const Unaligned*>(b.from(first + i, p).data);
      transpose(block);
#pragma GCC unroll 16
      for (int l = 0; l < kLanes; ++l)
        *reinterpret_cast<Vector*>(packed + (p + l) * kColumns + first) = block[l];
    }
    for (; p < k; ++p)
      for (std::int64_t i = 0; i < kLanes; ++i)
        packed[p * kColumns + first + i] = i < here ? *b.from(first + i, p).data : 0;
  }
}

// Packs one panel of B whose rows are contiguous, by copying.
void pack_across(std::int64_t count, std::int64_t k, const Operand& b, float* packed) {
  if (count == kColumns) {
    for (std::int64_t p = 0; p < k; ++p)
      std::memcpy(packed + p * kColumns, b.data + p * b.row_length, kColumns * sizeof(float));
  } else {
    for (std::int64_t p = 0; p < k; ++p) {
      std::copy_n(b.data + p * b.row_length, count, packed + p * kColumns);
      std::fill_n(packed + p * kColumns + count, kColumns - count, 0.0f);
    }
  }
}

}  // namespace

void pack_b(std::int64_t n, std::int64_t k, const Operand& b, float* packed) {
  for (std::int64_t first = 0; first < n; first += kColumns, packed += kColumns * k) {
    const std::int64_t count = std::min<std::int64_t>(kColumns, n - first);
    (b.along_k ? pack_along_k : pack_across)(count, k, b.from(first, 0), packed);
  }
}

namespace {

// Packs up to kRows rows of A as [k, kRows], so that a tile reads A contiguously.
void pack_rows(std::int64_t count, std::int64_t k, const Operand& a, float* packed) {
  typedef float Block __attribute__((vector_size(8 * sizeof(float))));
  static_assert(kRows <= 8);
  constexpr std::size_t kBytes = kRows * sizeof(float);
  std::int64_t p = 0;
  if (a.along_k) {
    for (; p + 8 <= k; p += 8) {
      Block block[8] = {};
#pragma GCC unroll 1
      for (std::int64_t i = 0; i < count; ++i)
        std::memcpy(&block[i], a.from(i, p).data, sizeof(Block));
      transpose(block);
#pragma GCC unroll 8
      for (int l = 0; l < 8; ++l) std::memcpy(packed + (p + l) * kRows, &block[l], kBytes);
    }
  } else if (count == kRows) {
    for (; p < k; ++p) std::memcpy(packed + p * kRows, a.from(0, p).data, kBytes);
  }
  for (; p < k; ++p)
    for (std::int64_t i = 0; i < count; ++i) packed[p * kRows + i] = *a.from(i, p).data;
}

// From this many columns on, packing A pays off as well: rows of A may be a power of two apart,
// which causes cache conflicts, or each on a different page.
constexpr std::int64_t kManyColumns = 384;

}  // namespace

void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const Operand& a, const float* b,
              bool add, float* c, std::int64_t ldc) {
  // A block of rows of A stays in the L2 cache while all of B is read.
  constexpr std::int64_t kBlock = 192;
  static_assert(kBlock % kRows == 0);
  const bool packs = n >= kManyColumns && m > 1;
  Array scratch = packs ? Array(Shape{std::min(m + kRows, kBlock) * k}) : Array();
  float* const packed = packs ? scratch.mutable_data<float>() : nullptr;
  for (std::int64_t block = 0; block < m; block += kBlock) {
    const std::int64_t end = std::min(m, block + kBlock);
    if (packs)
      for (std::int64_t i = block; i < end; i += kRows)
        pack_rows(std::min<std::int64_t>(kRows, end - i), k, a.from(i, 0),
                  packed + (i - block) * k);
    std::int64_t j = 0;
    if (m == 1 && !packs)
      for (; j + kPanels * kColumns <= n; j += kPanels * kColumns)
        (a.along_k ? wide_tile<true> : wide_tile<false>)(k, a.data, a.row_length, b + j * k, add,
                                                         c + j);
    for (; j < n; j += kColumns) {
      const std::int64_t columns = std::min<std::int64_t>(kColumns, n - j);
      for (std::int64_t i = block; i < end; i += kRows) {
        const std::int64_t rows = std::min<std::int64_t>(kRows, end - i);
        const Operand here = packs ? Operand{packed + (i - block) * k, kRows, false} : a.from(i, 0);
        const Tile whole = kTiles[here.along_k][static_cast<std::size_t>(rows - 1)];
        float* to = c + i * ldc + j;
        if (columns == kColumns) {
          whole(k, here.data, here.row_length, b + j * k, kColumns, add, to, ldc);
          continue;
        }
        // At the right edge, where C has fewer columns, a full tile is computed in a buffer.
        alignas(64) float beside[kRows * kColumns];
        whole(k, here.data, here.row_length, b + j * k, kColumns, false, beside, kColumns);
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t column = 0; column < columns; ++column)
            to[row * ldc + column] = add ? to[row * ldc + column] + beside[row * kColumns + column]
                                         : beside[row * kColumns + column];
      }
    }
  }
}

namespace {

// B is often keys or values of one head, whose rows are far apart. The next product is then likely
// that of the next head, which follows in memory and is fetched in advance.

// For columns of B that are contiguous along k: blocks are transposed in registers.
void multiply_row_along_k(std::int64_t n, std::int64_t k, const float* a, const Operand& b,
                          bool add, float* c) {
  for (std::int64_t j = 0; j < n; j += kLanes) {
    const std::int64_t here = std::min<std::int64_t>(kLanes, n - j);
    Vector sums = {};
    std::int64_t p = 0;
    for (; p + kLanes <= k; p += kLanes) {
      Vector block[kLanes] = {};
#pragma GCC unroll 1
      for (std::int64_t i = 0; i < here; ++i) {
        const float* from = b.from(j + i, p).data;
        block[i] = *reinterpret_cast<const Unaligned*>(from);
        __builtin_prefetch(from + k);
      }
      transpose(block);
#pragma GCC unroll 16
      for (int l = 0; l < kLanes; ++l) sums += a[p + l] * block[l];
    }
    for (; p < k; ++p) {
      Vector column = {};
      for (std::int64_t i = 0; i < here; ++i) column[i] = *b.from(j + i, p).data;
      sums += a[p] * column;
    }
    for (std::int64_t i = 0; i < here; ++i) c[j + i] = add ? c[j + i] + sums[i] : sums[i];
  }
}

// For rows of B that are contiguous.
void multiply_row_across(std::int64_t n, std::int64_t k, const float* a, const Operand& b, bool add,
                         float* c) {
  std::int64_t j = 0;
  for (; j + kColumns <= n; j += kColumns) {
    Vector sums[kVectors] = {};
    const float* row = b.data + j;
    for (std::int64_t p = 0; p < k; ++p, row += b.row_length)
#pragma GCC unroll 8
      for (int i = 0; i < kVectors; ++i) {
        sums[i] += a[p] * *reinterpret_cast<const Unaligned*>(row + i * kLanes);
        __builtin_prefetch(row + n + i * kLanes);
      }
#pragma GCC unroll 8
    for (int i = 0; i < kVectors; ++i) {
      Unaligned* to = reinterpret_cast<Unaligned*>(c + j + i * kLanes);
      *to = add ? *to + sums[i] : sums[i];
    }
  }
  for (; j < n; j += kLanes) {
    const std::int64_t here = std::min<std::int64_t>(kLanes, n - j);
    Vector sums = {};
    for (std::int64_t p = 0; p < k; ++p) {
      Vector row = {};
      std::memcpy(&row, b.from(j, p).data, static_cast<std::size_t>(here) * sizeof(float));
      sums += a[p] * row;
    }
    for (std::int64_t i = 0; i < here; ++i) c[j + i] = add ? c[j + i] + sums[i] : sums[i];
  }
}

}  // namespace

void multiply_row(std::int64_t n, std::int64_t k, const float* a, const Operand& b, bool add,
                  float* c) {
  (b.along_k ? multiply_row_along_k : multiply_row_across)(n, k, a, b, add, c);
}

}  // namespace attune::kernels::gemm_kernel

#endif  // ATTUNE_GEMM_KERNEL
