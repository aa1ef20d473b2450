#pragma once

#include "attune/layers/attention/locality.h"

namespace attune {

/// local-m (Luong et al. 2015, sec. 3.2): step t attends to the keys t - D ... t + D, as if source
/// and target were aligned one to one. A step with no key in its window has context 0. No
/// parameters. Errors: a window below 0.
class MonotonicLocality : public Locality {
 public:
  explicit MonotonicLocality(std::int64_t window);
  Neighbourhood operator()(const Tensor& query, const Indices& lengths, std::int64_t keys,
                           const AttentionState& state) const override;

 private:
  std::int64_t window_;  // D
};

}  // namespace attune
