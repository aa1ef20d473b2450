#include "attune/autograd/kernels/gemm.h"

#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <mutex>
#include <string>

#include "attune/autograd/array/parallel.h"

extern "C" char* openblas_get_corename();

namespace attune {
namespace {

// One BLAS thread per call, whichever build of OpenBLAS is linked. The OpenMP build asks OpenMP,
// whose setting belongs to the calling thread and is put back afterwards; the others have one
// setting for all.
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

void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const float* a, std::int64_t lda, const float* b, std::int64_t ldb, float beta, float* c,
          std::int64_t ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, static_cast<blasint>(m), static_cast<blasint>(n),
              static_cast<blasint>(k), 1, a, static_cast<blasint>(lda), b,
              static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}
void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, std::int64_t m, std::int64_t n, std::int64_t k,
          const double* a, std::int64_t lda, const double* b, std::int64_t ldb, double beta,
          double* c, std::int64_t ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, static_cast<blasint>(m), static_cast<blasint>(n),
              static_cast<blasint>(k), 1, a, static_cast<blasint>(lda), b,
              static_cast<blasint>(ldb), beta, c, static_cast<blasint>(ldc));
}

// A panel is worth a thread from about a million multiplications on; eight panels are enough to
// keep as many threads busy, and more would pack the other operand more often.
constexpr std::int64_t kPanelWork = 1 << 20;
constexpr std::int64_t kMaxPanels = 8;
constexpr std::int64_t kPanelMultiple = 16;  // rows of a kernel's tile

std::int64_t panel_size(std::int64_t length, std::int64_t work) {
  const std::int64_t panels = std::clamp<std::int64_t>(work / kPanelWork, 1, kMaxPanels);
  const std::int64_t size = (length + panels - 1) / panels;
  return (size + kPanelMultiple - 1) / kPanelMultiple * kPanelMultiple;
}

}  // namespace

template <typename T>
void gemm_panel(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
                std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  if (k == 0) {  // an empty sum, for which BLAS would refuse the leading dimensions
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];
    return;
  }
  const auto ta = op_a == Op::transpose ? CblasTrans : CblasNoTrans;
  const auto tb = op_b == Op::transpose ? CblasTrans : CblasNoTrans;
  // OpenBLAS built without threads shares its buffers between calls: one call at a time then.
  const OneBlasThread one_thread;
  static const bool unsafe = openblas_get_parallel() == OPENBLAS_SEQUENTIAL;
  static std::mutex mutex;
  std::unique_lock lock(mutex, std::defer_lock);
  if (unsafe) lock.lock();
  call(ta, tb, m, n, k, a, lda, b, ldb, beta, c, ldc);
}

template <typename T>
void gemm(Op op_a, Op op_b, std::int64_t m, std::int64_t n, std::int64_t k, const T* a,
          std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  if (m == 0 || n == 0) return;
  const std::int64_t work = m * n * k;
  if (m >= n) {
    parallel_for(m, panel_size(m, work), [&](std::int64_t first, std::int64_t last) {
      const T* a_panel = a + (op_a == Op::transpose ? first : first * lda);
      gemm_panel(op_a, op_b, last - first, n, k, a_panel, lda, b, ldb, beta, c + first * ldc, ldc);
    });
  } else {
    parallel_for(n, panel_size(n, work), [&](std::int64_t first, std::int64_t last) {
      const T* b_panel = b + (op_b == Op::transpose ? first * ldb : first);
      gemm_panel(op_a, op_b, m, last - first, k, a, lda, b_panel, ldb, beta, c + first, ldc);
    });
  }
}

#define ATTUNE_INSTANTIATE(T)                                                                  \
  template void gemm_panel(Op, Op, std::int64_t, std::int64_t, std::int64_t, const T*,         \
                           std::int64_t, const T*, std::int64_t, T, T*, std::int64_t);         \
  template void gemm(Op, Op, std::int64_t, std::int64_t, std::int64_t, const T*, std::int64_t, \
                     const T*, std::int64_t, T, T*, std::int64_t)
ATTUNE_INSTANTIATE(float);
ATTUNE_INSTANTIATE(double);
#undef ATTUNE_INSTANTIATE

const char* blas_description() {
  static const std::string text =
      std::string(openblas_get_config()) + " (" + openblas_get_corename() + " kernels)";
  return text.c_str();
}

}  // namespace attune
