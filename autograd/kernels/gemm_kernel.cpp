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
constexpr int kLine = 64 / sizeof(float);  // elements of a cache line

// Writes a vector of sums to C.
inline void put(const Vector& sums, const Addend& addend, float* c) {
  *reinterpret_cast<Unaligned*>(c) =
      addend.data ? *reinterpret_cast<const Unaligned*>(addend.data) + sums : sums;
}

// Computes R rows by kColumns columns of C, with the sums in registers for all of k. What lies
// `ahead` elements behind the panel of B is prefetched.
template <int R, bool kAlongK>
void tile(std::int64_t k, const float* a, std::int64_t row_length, const float* b,
          std::int64_t ahead, const Addend& addend, float* c, std::int64_t ldc) {
  Vector sums[R][kVectors] = {};
  // Prefetch C, which is needed only at the end.
#pragma GCC unroll 8
  for (int i = 0; i < R; ++i)
    for (int j = 0; j < kVectors; ++j) __builtin_prefetch(c + i * ldc + j * kLanes, 1);
#pragma GCC unroll 4
  for (std::int64_t p = 0; p < k; ++p, b += kColumns) {
    Vector row[kVectors];
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) row[j] = *reinterpret_cast<const Unaligned*>(b + j * kLanes);
    for (int j = 0; j < kColumns; j += kLine) __builtin_prefetch(b + ahead + j);
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
      put(sums[i][j], addend.from(i, j * kLanes), c + i * ldc + j * kLanes);
    }
}

// Computes one row by kPanels panels of C: with a single panel, each sum would wait for the one
// before it.
constexpr int kPanels = 4;
template <bool kAlongK>
void wide_tile(std::int64_t k, const float* a, std::int64_t row_length, const float* b,
               const Addend& addend, float* c) {
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
      const std::int64_t column = i * kColumns + j * kLanes;
      put(sums[i][j], addend.from(0, column), c + column);
    }
}

using Tile = void (*)(std::int64_t, const float*, std::int64_t, const float*, std::int64_t,
                      const Addend&, float*, std::int64_t);

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
              const Addend& addend, float* c, std::int64_t ldc) {
  // A block of rows of A stays in the L2 cache while all of B is read.
  constexpr std::int64_t kBlock = 192;
  static_assert(kBlock % kRows == 0);
  const bool packs = n >= kManyColumns && m > 1;
  Array scratch = packs ? Array(Shape{std::min(m + kRows, kBlock) * k}) : Array();
  float* const packed = packs ? scratch.mutable_data<float>() : nullptr;
  for (std::int64_t block = 0; block < m; block += kBlock) {
    // Rows are divided evenly, since a tile of a few rows takes as long as one with some more.
    const std::int64_t count = std::min(m - block, kBlock), tiles = (count + kRows - 1) / kRows;
    const std::int64_t each = count / tiles, larger = count % tiles;
    const auto first_row = [=](std::int64_t t) { return block + t * each + std::min(t, larger); };
    if (packs)
      for (std::int64_t t = 0; t < tiles; ++t)
        pack_rows(first_row(t + 1) - first_row(t), k, a.from(first_row(t), 0),
                  packed + t * kRows * k);
    std::int64_t j = 0;
    if (m == 1 && !packs)
      for (; j + kPanels * kColumns <= n; j += kPanels * kColumns)
        (a.along_k ? wide_tile<true> : wide_tile<false>)(k, a.data, a.row_length, b + j * k,
                                                         addend.from(0, j), c + j);
    for (; j < n; j += kColumns) {
      const std::int64_t columns = std::min<std::int64_t>(kColumns, n - j);
      for (std::int64_t t = 0; t < tiles; ++t) {
        const std::int64_t i = first_row(t), rows = first_row(t + 1) - i;
        const Operand here = packs ? Operand{packed + t * kRows * k, kRows, false} : a.from(i, 0);
        const Tile whole = kTiles[here.along_k][static_cast<std::size_t>(rows - 1)];
        float* to = c + i * ldc + j;
        const Addend added = addend.from(i, j);
        // A packed weight is often in the L3 cache only, and the processor's own prefetching ends
        // with each page, so the last tile of a panel prefetches the next panel.
        const std::int64_t ahead = t == tiles - 1 ? kColumns * k : 0;
        if (columns == kColumns) {
          whole(k, here.data, here.row_length, b + j * k, ahead, added, to, ldc);
          continue;
        }
        // At the right edge, where C has fewer columns, a full tile is computed in a buffer.
        alignas(64) float beside[kRows * kColumns];
        whole(k, here.data, here.row_length, b + j * k, 0, {}, beside, kColumns);
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t column = 0; column < columns; ++column) {
            const float sum = beside[row * kColumns + column];
            to[row * ldc + column] = added.data ? *added.from(row, column).data + sum : sum;
          }
      }
    }
  }
}

namespace {

// B is often keys or values of one head, whose rows are far apart. The next product is then likely
// that of the next head, which follows in memory and is fetched in advance.
//
// The functions below compute R rows of C without packing B. Each sum is a chain of additions, in
// the order of k, so several chains run side by side.

// One vector of a row of C, or its first `here` elements.
void store(const Vector& sums, std::int64_t here, const Addend& addend, float* c) {
  if (here == kLanes) return put(sums, addend, c);
  for (std::int64_t i = 0; i < here; ++i) c[i] = addend.data ? addend.data[i] + sums[i] : sums[i];
}

// For columns of B that are contiguous along k: blocks of kLanes columns are transposed in
// registers, J blocks at a time. Only the last one may have fewer columns, in all `count`.
template <int R, int J, typename B>
void columns_along_k(std::int64_t count, std::int64_t k, const float* a, std::int64_t row_length,
                     const B& b, const Addend& addend, float* c, std::int64_t ldc) {
  Vector sums[R][J] = {};
  const std::int64_t last = count - (J - 1) * kLanes;  // columns of the last block
  std::int64_t p = 0;
  for (; p + kLanes <= k; p += kLanes) {
#pragma GCC unroll 4
    for (int j = 0; j < J; ++j) {
      const std::int64_t here = j == J - 1 ? last : kLanes;
      Vector block[kLanes] = {};
#pragma GCC unroll 1
      for (std::int64_t i = 0; i < here; ++i) {
        const float* from = b.line(j * kLanes + i) + p;
        block[i] = *reinterpret_cast<const Unaligned*>(from);
        __builtin_prefetch(from + k);
      }
      transpose(block);
#pragma GCC unroll 16
      for (int l = 0; l < kLanes; ++l)
#pragma GCC unroll 8
        for (int r = 0; r < R; ++r) sums[r][j] += a[r * row_length + p + l] * block[l];
    }
  }
  for (; p < k; ++p)
    for (int j = 0; j < J; ++j) {
      const std::int64_t here = j == J - 1 ? last : kLanes;
      Vector column = {};
      for (std::int64_t i = 0; i < here; ++i) column[i] = b.line(j * kLanes + i)[p];
#pragma GCC unroll 8
      for (int r = 0; r < R; ++r) sums[r][j] += a[r * row_length + p] * column;
    }
  for (int r = 0; r < R; ++r)
    for (int j = 0; j < J; ++j)
      store(sums[r][j], j == J - 1 ? last : kLanes, addend.from(r, j * kLanes),
            c + r * ldc + j * kLanes);
}

template <int R, typename B>
void rows_along_k(std::int64_t n, std::int64_t k, const float* a, std::int64_t row_length,
                  const B& b, const Addend& addend, float* c, std::int64_t ldc) {
  constexpr int kBlocks = R == 1 ? 4 : 2;
  for (std::int64_t j = 0; j < n; j += kBlocks * kLanes) {
    const std::int64_t count = std::min<std::int64_t>(kBlocks * kLanes, n - j);
    const auto columns = count > 3 * kLanes   ? columns_along_k<R, kBlocks, B>
                         : count > 2 * kLanes ? columns_along_k<R, std::min(3, kBlocks), B>
                         : count > kLanes     ? columns_along_k<R, 2, B>
                                              : columns_along_k<R, 1, B>;
    columns(count, k, a, row_length, b.from(j, 0), addend.from(0, j), c + j, ldc);
  }
}

// For rows of B that are contiguous: V vectors of columns at a time.
template <int R, int V, typename B>
void columns_across(std::int64_t n, std::int64_t k, const float* a, std::int64_t row_length,
                    const B& b, const Addend& addend, float* c, std::int64_t ldc) {
  Vector sums[R][V] = {};
#pragma GCC unroll 1
  for (std::int64_t p = 0; p < k; ++p) {
    const float* const row = b.line(p);
    Vector here[V];
#pragma GCC unroll 8
    for (int i = 0; i < V; ++i) {
      here[i] = *reinterpret_cast<const Unaligned*>(row + i * kLanes);
      __builtin_prefetch(row + n + i * kLanes);
    }
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
      for (int i = 0; i < V; ++i) sums[r][i] += a[r * row_length + p] * here[i];
  }
#pragma GCC unroll 8
  for (int r = 0; r < R; ++r)
#pragma GCC unroll 8
    for (int i = 0; i < V; ++i)
      store(sums[r][i], kLanes, addend.from(r, i * kLanes), c + r * ldc + i * kLanes);
}

// The last columns, fewer than a vector.
template <int R, typename B>
void last_columns_across(std::int64_t count, std::int64_t k, const float* a,
                         std::int64_t row_length, const B& b, const Addend& addend, float* c,
                         std::int64_t ldc) {
  Vector sums[R] = {};
  for (std::int64_t p = 0; p < k; ++p) {
    Vector row = {};
    std::memcpy(&row, b.line(p), static_cast<std::size_t>(count) * sizeof(float));
#pragma GCC unroll 8
    for (int r = 0; r < R; ++r) sums[r] += a[r * row_length + p] * row;
  }
  for (int r = 0; r < R; ++r) store(sums[r], count, addend.from(r, 0), c + r * ldc);
}

template <int R, typename B>
void rows_across(std::int64_t n, std::int64_t k, const float* a, std::int64_t row_length,
                 const B& b, const Addend& addend, float* c, std::int64_t ldc) {
  constexpr int kWide = R == 1 ? 8 : 2;
  std::int64_t j = 0;
  for (; j + kWide * kLanes <= n; j += kWide * kLanes)
    columns_across<R, kWide>(n, k, a, row_length, b.from(j, 0), addend.from(0, j), c + j, ldc);
  if constexpr (kWide > 4)
    for (; j + 4 * kLanes <= n; j += 4 * kLanes)
      columns_across<R, 4>(n, k, a, row_length, b.from(j, 0), addend.from(0, j), c + j, ldc);
  for (; j + kLanes <= n; j += kLanes)
    columns_across<R, 1>(n, k, a, row_length, b.from(j, 0), addend.from(0, j), c + j, ldc);
  if (j < n)
    last_columns_across<R>(n - j, k, a, row_length, b.from(j, 0), addend.from(0, j), c + j, ldc);
}

using Rows = void (*)(std::int64_t, std::int64_t, const float*, std::int64_t, const Operand&,
                      const Addend&, float*, std::int64_t);
template <int... R>
constexpr std::array<Rows, kFewRows> make_rows(bool along_k, std::integer_sequence<int, R...>) {
  return {(along_k ? rows_along_k<R + 1, Operand> : rows_across<R + 1, Operand>)...};
}
constexpr std::array<Rows, kFewRows> kRowsOf[2] = {
    make_rows(false, std::make_integer_sequence<int, kFewRows>()),
    make_rows(true, std::make_integer_sequence<int, kFewRows>())};

}  // namespace

void multiply_few_rows(std::int64_t m, std::int64_t n, std::int64_t k, const float* a,
                       std::int64_t row_length, const Operand& b, const Addend& addend, float* c,
                       std::int64_t ldc) {
  kRowsOf[b.along_k][static_cast<std::size_t>(m - 1)](n, k, a, row_length, b, addend, c, ldc);
}

void multiply_one_row(std::int64_t n, std::int64_t k, const float* a, const ScatteredOperand& b,
                      const Addend& addend, float* c) {
  (b.along_k ? rows_along_k<1, ScatteredOperand> : rows_across<1, ScatteredOperand>)(n, k, a, k, b,
                                                                                     addend, c, n);
}

}  // namespace attune::kernels::gemm_kernel

#endif  // ATTUNE_GEMM_KERNEL
