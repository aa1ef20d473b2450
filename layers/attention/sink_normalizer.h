#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct SinkNormalizerOptions {
  bool learned = false;  ///< the sink's score is a parameter, one for each head
  std::int64_t heads = 1;
};

/// Softmax with a sink, which takes the weight that no key deserves:
///
///     a_s = exp(e_s) / (exp(b) + sum_j exp(e_j))
///
/// With b = 0 it is softmax_1 (Miller 2023, "Attention is off by one"); with b learned, one for
/// each head, the sink of gpt-oss (OpenAI 2025, model card, sec. 2.2).
/// Parameters: with a learned sink, sink b [heads], 0 at first.
class SinkNormalizer : public Normalizer {
 public:
  explicit SinkNormalizer(const SinkNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  Tensor sink_;
};

}  // namespace attune
