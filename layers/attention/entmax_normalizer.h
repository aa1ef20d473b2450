#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct EntmaxNormalizerOptions {
  double alpha = 1.5;    ///< above 1; if learned, its initial value, below 2
  bool learned = false;  ///< alpha is a parameter, one for each head, between 1 and 2
  std::int64_t heads = 1;
};

/// a = entmax(e) with any alpha (Peters et al. 2019): as softmax, but keys with low scores get
/// exactly 0. alpha = 2 is sparsemax (Martins and Astudillo 2016). A learned alpha is 1 +
/// sigmoid(logit), one for each head (Correia et al. 2019).
/// Parameters: with a learned alpha, logit [heads].
/// Errors: an alpha that is not above 1; a learned one that does not start between 1 and 2.
class EntmaxNormalizer : public Normalizer {
 public:
  explicit EntmaxNormalizer(const EntmaxNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  double alpha_;
  Tensor logit_;
};

}  // namespace attune
