#pragma once

#include <cstdint>

#include "attune/autograd/kernels/rows.h"

/// Distributions of tokens that are generated or copied: see log_copy_mixture(). Rows are split
/// among threads.
namespace attune::kernels {

/// R rows of V logits and S copies, of which row r belongs to row r % batch of tokens [batch, S];
/// N tokens in all.
struct CopyMixtureSizes {
  std::int64_t rows, batch, generated, positions, tokens;
};

template <typename T>
struct CopyMixture {
  const T* logits;
  const T* generate;
  const T* copies;
  const std::int32_t* tokens;  ///< each in [0, N)
  T least;
};

/// y = log max(g softmax(logits) + copies, least), and the log-sum-exp of each row of logits.
template <typename T>
void copy_mixture_forward(const CopyMixtureSizes& n, const CopyMixture<T>& x, LogSumExp<T>* sums,
                          T* y);

/// dlogits (+)= its gradient; dgenerate and dcopies are overwritten. A row whose dy is 0 has no
/// influence, whatever it holds; x.copies is not read.
template <typename T>
void copy_mixture_backward(const CopyMixtureSizes& n, const CopyMixture<T>& x,
                           const LogSumExp<T>* sums, const T* y, const T* dy, T* dlogits,
                           bool accumulate, T* dgenerate, T* dcopies);

}  // namespace attune::kernels
