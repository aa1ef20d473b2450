#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

/// Softmax over the k keys with the largest scores; the others get 0 (Gupta et al. 2021).
/// Of equal scores, the first come first. No parameters. Errors: k below 1.
class TopKNormalizer : public Normalizer {
 public:
  explicit TopKNormalizer(std::int64_t k);
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  std::int64_t k_;
};

}  // namespace attune
