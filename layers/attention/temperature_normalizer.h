#pragma once

#include "attune/layers/attention/normalizer.h"

namespace attune {

struct TemperatureNormalizerOptions {
  double temperature = 1;  ///< tau, above 0; if learned, its initial value
  bool learned = true;     ///< tau is a parameter, one for each head
  std::int64_t heads = 1;
};

/// a = softmax(e / tau) with a temperature tau (Hinton et al. 2015, sec. 2; Bahdanau et al. 2015,
/// eq. 6 for tau = 1): below 1 the weights are sharper, above 1 flatter. A learned tau is
/// exp(log_temperature).
/// Parameters: if learned, log_temperature [heads].
/// Errors: a temperature that is not above 0.
class TemperatureNormalizer : public Normalizer {
 public:
  explicit TemperatureNormalizer(const TemperatureNormalizerOptions& options = {});
  Normalized operator()(const Tensor& scores, const Mask& mask,
                        AttentionState& state) const override;

 private:
  double temperature_;
  Tensor log_temperature_;
};

}  // namespace attune
