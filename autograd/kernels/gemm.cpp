#include "attune/autograd/kernels/gemm.h"

#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "attune/autograd/array/parallel.h"
#include "attune/autograd/array/work.h"
#include "attune/autograd/kernels/gemm_kernel.h"

extern "C" char* openblas_get_corename();

namespace attune::kernels {
namespace {

// Limits OpenBLAS to one thread per call, whichever build is linked. OpenMP builds take the number
// of threads from OpenMP, where it is set per calling thread and restored afterwards; other builds
// have one global setting.
class OneBlasThread {
 public:
  OneBlasThread() : before_(omp_get_max_threads()) {
    static const bool for_all = (openblas_set_num_threads(1), true);
    (void)for_all;
    omp_set_num_threads(1);
  }
  ~OneBlasThread() { omp_set_num_threads(before_); }
  OneBlasThread(const OneBlasThread&) = delete;
  OneBlasThread& operator=(const OneBlasThread&) = delete;

 private:
  int before_;
};

// Converts a size to OpenBLAS's integer type, which usually has 32 bits.
blasint blas_size(std::int64_t size) {
  ATTUNE_CHECK(std::in_range<blasint>(size),
               "matmul: a matrix with rows or columns of {} numbers is too large for OpenBLAS, "
               "whose sizes end at {}",
               size, std::numeric_limits<blasint>::max());
  return static_cast<blasint>(size);
}

[[maybe_unused]] void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n,
                           std::int64_t k, const float* a, std::int64_t lda, const float* b,
                           std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, blas_size(m), blas_size(n), blas_size(k), 1, a, blas_size(lda),
              b, blas_size(ldb), beta, c, blas_size(ldc));
}
void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, blas_size(m), blas_size(n), blas_size(k), 1, a, blas_size(lda),
              b, blas_size(ldb), beta, c, blas_size(ldc));
}

template <typename T>
void blas_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  const auto ta = op_a == Op::transpose ? CblasTrans : CblasNoTrans;
  const auto tb = op_b == Op::transpose ? CblasTrans : CblasNoTrans;
  Work::add_flops(2 * m * n * k);
  // Single-threaded builds of OpenBLAS share buffers between calls, so calls are serialised.
  const OneBlasThread one_thread;
  static const bool unsafe = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  static std::mutex mutex;
  std::unique_lock lock(mutex, std::defer_lock);
  if (unsafe) lock.lock();
  call(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

// A panel has at least a quarter of a million multiplications (about 3 us), since less is not worth
// another thread; eight panels keep as many threads busy.
constexpr std::int64_t kPanelWork = 1 << 18;
constexpr std::int64_t kMaxPanels = 8;

std::int64_t panel_size(std::int64_t length, std::int64_t work, std::int64_t multiple) {
  const std::int64_t panels = std::clamp<std::int64_t>(work / kPanelWork, 1, kMaxPanels);
  const std::int64_t size = (length + panels - 1) / panels;
  return (size + multiple - 1) / multiple * multiple;
}

template <typename T>
inline constexpr bool kOwnKernel = gemm_kernel::kAvailable&& std::is_same_v<T, float>;

[[maybe_unused]] std::int64_t round_up(std::int64_t n, std::int64_t multiple) {
  return (n + multiple - 1) / multiple * multiple;
}

// Scales C by beta unless that is 0, so that only the product remains to be added. Returns false
// for beta 0: C is then overwritten without being read.
template <typename T>
bool scale_c(std::int64_t m, std::int64_t n, T beta, T* c, std::int64_t ldc) {
  if (beta != 0 && beta != 1)
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] *= beta;
  return beta != 0;
}

// Pointer to row or column `first` of an operand at position p along k.
template <typename T>
const T* corner(bool rows_along_k, const T* x, std::int64_t row_length, std::int64_t first,
                std::int64_t p) {
  return rows_along_k ? x + first * row_length + p : x + p * row_length + first;
}

#if ATTUNE_GEMM_KERNEL

gemm_kernel::Operand operand_a(Op op, const float* a, std::int64_t lda) {
  return {a, lda, op == Op::none};
}
gemm_kernel::Operand operand_b(Op op, const float* b, std::int64_t ldb) {
  return {b, ldb, op == Op::transpose};
}

// Packs B [k, n] into panels of kColumns columns.
template <typename ForRange>
void pack(const ForRange& for_range, std::int64_t n, std::int64_t k, const gemm_kernel::Operand& b,
          float* packed) {
  using gemm_kernel::kColumns;
  const std::int64_t panels = (n + kColumns - 1) / kColumns;
  for_range(panels, row_grain(kColumns * k), [&](std::int64_t first, std::int64_t last) {
    gemm_kernel::pack_b(std::min(n, last * kColumns) - first * kColumns, k,
                        b.from(first * kColumns, 0), packed + first * kColumns * k);
  });
}

// C = A B + beta C, or + bias, with gemm_kernel, in blocks of kDepth along k.
// `for_range(n, grain, body)` runs the loops, on this thread or in parallel. `packed_b` is B in
// PackedMatrix's layout, or nullptr.
template <typename ForRange>
void own_product(const ForRange& for_range, std::int64_t m, std::int64_t n, std::int64_t k,
                 const gemm_kernel::Operand& a, const gemm_kernel::Operand& b,
                 const float* packed_b, float beta, float* c, std::int64_t ldc, const float* bias) {
  using namespace gemm_kernel;
  Work::add_flops(2 * m * n * k);
  Addend addend{bias};
  if (scale_c(m, n, beta, c, ldc)) addend = {c, ldc};
  const std::int64_t columns = round_up(n, kColumns);
  if ((m == 1 || (m <= kFewRows && m * n * k < kPanelWork)) && !packed_b && a.along_k) {
    for (std::int64_t p = 0; p < k; p += kDepth, addend = {c, ldc})
      multiply_few_rows(m, n, std::min(kDepth, k - p), a.data + p, a.row_length, b.from(0, p),
                        addend, c, ldc);
    return;
  }
  Array scratch = packed_b ? Array() : Array(Shape{columns * std::min(k, kDepth)});
  for (std::int64_t p = 0; p < k; p += kDepth) {
    const std::int64_t d = std::min(kDepth, k - p);
    if (!packed_b) pack(for_range, n, d, b.from(0, p), scratch.mutable_data<float>());
    const float* block = packed_b ? packed_b + columns * p : scratch.data<float>();
    if (m >= n)
      for_range(m, panel_size(m, m * n * d, kRows), [&](std::int64_t first, std::int64_t last) {
        multiply(last - first, n, d, a.from(first, p), block, addend.from(first, 0),
                 c + first * ldc, ldc);
      });
    else
      for_range(n, panel_size(n, m * n * d, kColumns), [&](std::int64_t first, std::int64_t last) {
        multiply(m, last - first, d, a.from(0, p), block + first * d, addend.from(0, first),
                 c + first, ldc);
      });
    addend = {c, ldc};
  }
}

#endif  // ATTUNE_GEMM_KERNEL

constexpr auto kHere = [](std::int64_t n, std::int64_t, const auto& body) { body(0, n); };
constexpr auto kShared = [](std::int64_t n, std::int64_t grain, const auto& body) {
  parallel_for(n, grain, body);
};

// gemm() on the calling thread only.
template <typename T>
void panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
           std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc,
           const T* bias) {
  if (m == 0 || n == 0) return;
  if (bias && (k == 0 || !kOwnKernel<T>)) {
    for (std::int64_t i = 0; i < m; ++i) std::copy_n(bias, n, c + i * ldc);
    bias = nullptr, beta = 1;
  }
  if (k == 0) {  // an empty sum; BLAS rejects its leading dimensions
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
    return;
  }
  if constexpr (kOwnKernel<T>)
    own_product(kHere, m, n, k, operand_a(op_a, a, lda), operand_b(op_b, b, ldb), nullptr, beta, c,
                ldc, bias);
  else
    blas_panel(op_a, op_b, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace

template <typename T>
void gemm_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  panel<T>(op_a, op_b, m, n, k, a, lda, b, ldb, beta, c, ldc, nullptr);
}

#if ATTUNE_GEMM_KERNEL

void gemm_scattered(Op op_b, std::int64_t n, std::int64_t k, const float* a, const float* const* b,
                    std::int64_t offset, float beta, float* c) {
  using namespace gemm_kernel;
  Work::add_flops(2 * n * k);
  const ScatteredOperand operand{b, offset, op_b == Op::transpose};
  Addend addend;
  if (scale_c(1, n, beta, c, n)) addend = {c, n};
  for (std::int64_t p = 0; p < k; p += kDepth, addend = {c, n})
    multiply_one_row(n, std::min(kDepth, k - p), a + p, operand.from(0, p), addend, c);
}

#endif  // ATTUNE_GEMM_KERNEL

template <typename T>
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc,
          const T* bias) {
  const std::int64_t work = m * n * k;
  if (work < 2 * kPanelWork) return panel(op_a, op_b, m, n, k, a, lda, b, ldb, beta, c, ldc, bias);
  if constexpr (kOwnKernel<T>)
    return own_product(kShared, m, n, k, operand_a(op_a, a, lda), operand_b(op_b, b, ldb), nullptr,
                       beta, c, ldc, bias);
  constexpr std::int64_t kMultiple = 16;  // rows in a tile of OpenBLAS's kernels
  if (m >= n) {
    parallel_for(m, panel_size(m, work, kMultiple), [&](std::int64_t first, std::int64_t last) {
      panel(op_a, op_b, last - first, n, k, corner(op_a == Op::none, a, lda, first, 0), lda, b, ldb,
            beta, c + first * ldc, ldc, bias);
    });
  } else {
    parallel_for(n, panel_size(n, work, kMultiple), [&](std::int64_t first, std::int64_t last) {
      panel(op_a, op_b, m, last - first, k, a, lda, corner(op_b == Op::transpose, b, ldb, first, 0),
            ldb, beta, c + first, ldc, bias ? bias + first : nullptr);
    });
  }
}

template <typename T>
PackedMatrix<T>::PackedMatrix(Op op, std::int64_t n, std::int64_t k, const T* b, std::int64_t ldb)
    : op_(op), n_(n), k_(k), ldb_(ldb), b_(b) {
  if constexpr (kOwnKernel<T>) {
    using namespace gemm_kernel;
    const std::int64_t columns = round_up(n, kColumns);
    packed_ = Array(Shape{columns * k});
    for (std::int64_t p = 0; p < k; p += kDepth)
      pack(kShared, n, std::min(kDepth, k - p), operand_b(op, b, ldb).from(0, p),
           packed_.mutable_data<float>() + columns * p);
  }
}

template <typename T>
void PackedMatrix<T>::multiply(Op op_a, std::int64_t m, const T* a, std::int64_t lda, T beta, T* c,
                               std::int64_t ldc, const T* bias) const {
  if constexpr (kOwnKernel<T>) {
    if (m > 0 && n_ > 0 && k_ > 0)
      return own_product(kShared, m, n_, k_, operand_a(op_a, a, lda), operand_b(op_, b_, ldb_),
                         packed_.data<float>(), beta, c, ldc, bias);
  }
  gemm(op_a, op_, m, n_, k_, a, lda, b_, ldb_, beta, c, ldc, bias);
}

namespace {

// Packs columns [first, first + count) of a weight.
template <typename T>
PackedMatrix<T> pack_columns(Op op, const Array& weight, std::int64_t first, std::int64_t count) {
  const std::int64_t rows = weight.shape()[0], columns = weight.shape()[1];
  const T* data = weight.data<T>() + first;
  return op == Op::transpose ? PackedMatrix<T>(op, rows, count, data, columns)
                             : PackedMatrix<T>(op, count, rows, data, columns);
}

// Cached packed forms of the weights in one block of memory, or of their column blocks.
class PackedWeights : public Cache {
 public:
  // Null if they are not packed yet, unless `make` is set.
  std::shared_ptr<const PackedMatrix<float>> get(Op op, const Array& weight, std::int64_t first,
                                                 std::int64_t count, bool make) {
    const Key key{weight.data<float>() + first, weight.shape(), count, op};
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [&](const Entry& e) { return e.version != weight.version(); });
    for (const Entry& e : entries_)
      if (e.key == key) return e.packed;
    if (!make) return nullptr;
    entries_.push_back(
        {key, weight.version(),
         std::make_shared<PackedMatrix<float>>(pack_columns<float>(op, weight, first, count))});
    return entries_.back().packed;
  }

 private:
  struct Key {
    const float* data;
    Shape shape;
    std::int64_t count;
    Op op;
    bool operator==(const Key&) const = default;
  };
  struct Entry {
    Key key;
    std::uint32_t version;
    std::shared_ptr<const PackedMatrix<float>> packed;
  };
  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace

template <typename T>
std::shared_ptr<const PackedMatrix<T>> packed(Op op, const Array& weight, std::int64_t first,
                                              std::int64_t count, bool make) {
  if constexpr (kOwnKernel<T>)
    return weight.cache<PackedWeights>().get(op, weight, first, count, make);
  else if (!make)
    return nullptr;
  else
    return std::make_shared<PackedMatrix<T>>(pack_columns<T>(op, weight, first, count));
}

#define ATTUNE_INSTANTIATE(T)                                                                  \
  template void gemm_panel(Op, Op, std::int64_t, std::int64_t, std::int64_t, const T*,         \
                           std::int64_t, const T*, std::int64_t, T, T*, std::int64_t);         \
  template void gemm(Op, Op, std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, \
                     const T*, std::int64_t, T, T*, std::int64_t, const T*);                   \
  template class PackedMatrix<T>;                                                              \
  template std::shared_ptr<const PackedMatrix<T>> packed(Op, const Array&, std::int64_t,       \
                                                         std::int64_t, bool)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

bool rows_are_independent() { return gemm_kernel::kAvailable; }

const char* blas_description() {
  static const std::string text =
      gemm_kernel::kAvailable
          ? fmt::format("attune's own kernel for float32 ({} numbers wide), {} for float64",
                        gemm_kernel::kLanes, openblas_get_config())
          : fmt::format("{} ({} kernels)", openblas_get_config(), openblas_get_corename());
  return text.c_str();
}

}  // namespace attune::kernels
