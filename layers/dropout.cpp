#include "attune/layers/dropout.h"

#include "attune/autograd/ops/normalization.h"
#include "attune/autograd/scopes.h"

namespace attune {

Dropout::Dropout(double p) : p_(p) {
  ATTUNE_CHECK(p >= 0 && p < 1, "Dropout: probability {} is outside [0, 1)", p);
}

Tensor Dropout::operator()(const Tensor& x) const {
  const LayerScope scope(*this);
  return dropout(x, p_);
}

bool Dropout::active() const { return p_ > 0 && !Eval::active(); }

}  // namespace attune
