#include "attune/autograd/kernels/gemm_kernel.h"

#if ATTUNE_GEMM_KERNEL

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace attune::gemm_kernel {
namespace {

// The compiler's vector types: arithmetic on them is one instruction a register.
typedef float Vector __attribute__((vector_size(kLanes * sizeof(float))));
typedef Vector Unaligned __attribute__((aligned(sizeof(float))));

constexpr int kVectors = kColumns / kLanes;

// `R` rows of C by kColumns, the sums in registers from the first k to the last. A row of B is
// b_step after the one before it.
template <int R, bool kAlongK>
void tile(std::int64_t k, const float* a, std::int64_t row_length, const float* b,
          std::int64_t b_step, bool add, float* c, std::int64_t ldc) {
  Vector sums[R][kVectors] = {};
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

using Tile = void (*)(std::int64_t, const float*, std::int64_t, const float*, std::int64_t, bool,
                      float*, std::int64_t);

template <bool kAlongK, int... R>
constexpr std::array<Tile, kRows> make_tiles(std::integer_sequence<int, R...>) {
  return {tile<R + 1, kAlongK>...};
}
constexpr std::array<Tile, kRows> kTiles[2] = {
    make_tiles<false>(std::make_integer_sequence<int, kRows>()),
    make_tiles<true>(std::make_integer_sequence<int, kRows>())};

// Rows become columns in log2(N) rounds: round S swaps blocks of S numbers across pairs of rows
// that are S apart.
template <int S = 1, typename Block, int N>
inline void transpose(Block (&rows)[N]) {
  if constexpr (S < N) {
    using Places = decltype(Block{} < Block{});  // whole numbers, as many
    Places first{}, second{};
#pragma GCC unroll 16
    for (int lane = 0; lane < N; ++lane) {
      first[lane] = lane & S ? N + lane - S : lane;
      second[lane] = lane & S ? N + lane : lane + S;
    }
#pragma GCC unroll 16
    for (int i = 0; i < N; ++i) {
      if (i & S) continue;
      const Block upper = rows[i], lower = rows[i + S];
      rows[i] = __builtin_shuffle(upper, lower, first);
      rows[i + S] = __builtin_shuffle(upper, lower, second);
    }
    transpose<2 * S>(rows);
  }
}

// One panel of B whose `count` columns lie along k, in square blocks.
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

// One panel of B whose columns lie side by side: a copy.
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

void multiply(std::int64_t m, std::int64_t n, std::int64_t k, const Operand& a, const float* b,
              bool add, float* c, std::int64_t ldc) {
  // Some rows of A stay in the second cache while all of B passes by.
  constexpr std::int64_t kBlock = 192;
  static_assert(kBlock % kRows == 0);
  for (std::int64_t block = 0; block < m; block += kBlock) {
    const std::int64_t end = std::min(m, block + kBlock);
    for (std::int64_t j = 0; j < n; j += kColumns) {
      const std::int64_t columns = std::min<std::int64_t>(kColumns, n - j);
      for (std::int64_t i = block; i < end; i += kRows) {
        const std::int64_t rows = std::min<std::int64_t>(kRows, end - i);
        const Tile whole = kTiles[a.along_k][static_cast<std::size_t>(rows - 1)];
        const float* from = a.from(i, 0).data;
        float* to = c + i * ldc + j;
        if (columns == kColumns) {
          whole(k, from, a.row_length, b + j * k, kColumns, add, to, ldc);
          continue;
        }
        // At the right edge C has fewer columns: by way of a whole tile beside it.
        alignas(64) float beside[kRows * kColumns];
        whole(k, from, a.row_length, b + j * k, kColumns, false, beside, kColumns);
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t column = 0; column < columns; ++column)
            to[row * ldc + column] = add ? to[row * ldc + column] + beside[row * kColumns + column]
                                         : beside[row * kColumns + column];
      }
    }
  }
}

}  // namespace attune::gemm_kernel

#endif  // ATTUNE_GEMM_KERNEL
