#include "attune/layers/softmax.h"

#include "attune/autograd/ops/softmax.h"

namespace attune {

Tensor Softmax::operator()(const Tensor& x, const Indices& lengths) const {
  const LayerScope scope(*this);
  return softmax(x, axis_, lengths);
}

}  // namespace attune
