#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

/// a_s = sigmoid(e_s - log n), with n the number of keys that the query sees (Ramapuram et al.
/// 2024, sec. 2; appendix E derives the bias -log n). The weights of a query do not compete: their
/// sum may be anything between 0 and n. Differs from the paper in n, which there is the length of
/// the (padded) sequence, so that padding changes no weight. No parameters.
class SigmoidNormalizer : public Normalizer {
 public:
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
};

}  // namespace attune
