#pragma once

#include <cstdint>
#include <limits>

#include "attune/optim/schedule.h"

namespace attune {

/// Lowers the learning rate when the loss stops improving: multiplies it by `factor`, down to
/// `minimum` times the initial rate, after `patience` + 1 losses in a row that are not below the
/// best one by 0.01% of its magnitude. Like PyTorch's ReduceLROnPlateau with default options, but
/// also correct for negative losses. Errors: a factor outside (0, 1); a patience below 0.
class ReduceOnPlateau : public Schedule {
 public:
  explicit ReduceOnPlateau(double factor = 0.1, std::int64_t patience = 10, double minimum = 0);
  double factor(std::int64_t step) const override;
  void observe(double loss) override;
  NamedArrays state() const override;
  void load_state(const NamedArrays& state) override;

 private:
  double reduction_;
  std::int64_t patience_;
  double minimum_;
  double now_ = 1;
  double best_ = std::numeric_limits<double>::infinity();
  std::int64_t without_progress_ = 0;
};

}  // namespace attune
