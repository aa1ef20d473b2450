#include "attune/layers/linear.h"

#include <cmath>

#include "attune/autograd/ops/linear.h"

namespace attune {

Linear::Linear(std::int64_t in, std::int64_t out, bool bias) {
  const double bound = 1 / std::sqrt(static_cast<double>(in));
  weight_ = param("weight", {out, in}, uniform(-bound, bound));
  if (bias) bias_ = param("bias", {out}, uniform(-bound, bound));
}

Tensor Linear::operator()(const Tensor& x) const { return linear(x, weight_, bias_); }

}  // namespace attune
