#include "attune/layers/softmax.h"

#include "attune/autograd/ops/softmax.h"

namespace attune {

Tensor Softmax::operator()(const Tensor& x, const Indices& lengths) const {
  return softmax(x, axis_, lengths);
}

}  // namespace attune
