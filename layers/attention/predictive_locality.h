#pragma once

#include "attune/layers/attention/locality.h"
#include "attune/layers/linear.h"

namespace attune {

struct PredictiveLocalityOptions {
  std::int64_t query_size = 0;  ///< Q
  std::int64_t hidden = 0;      ///< units of the network that predicts the position; 0: Q
  std::int64_t window = 10;     ///< D, at least 1
};

/// local-p (Luong et al. 2015, sec. 3.2): predicts the position p of a query y in a source of
/// length S, attends to the keys p - D ... p + D, and favours those near p:
///
///     p   = S sigmoid(v^T tanh(W y))                      eq. 9
///     a_s = normalised score exp(-(s - p)^2 / (2 sigma^2)),   sigma = D / 2   (eq. 10)
///
/// The position is learned through the Gaussian; the weights need not add up to 1. Positions count
/// from 0 here, so that p may take the values of all positions.
/// Parameters: position.weight W [hidden, Q], v.weight [1, hidden].
/// Errors: a window below 1.
class PredictiveLocality : public Locality {
 public:
  explicit PredictiveLocality(const PredictiveLocalityOptions& options);
  Neighbourhood operator()(const Tensor& query, const Indices& lengths, std::int64_t keys,
                           const AttentionState& state) const override;

 private:
  std::int64_t window_;
  Linear position_, v_;
};

}  // namespace attune
