#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

/// a_s = exp(e_s), without normalisation, for scores that are logarithms of weights, such as the
/// Gaussian mixture's (Graves 2013, eq. 46). No parameters.
class ExpNormalizer : public Normalizer {
 public:
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;
};

}  // namespace attune
